"""What a Canary may ask for, and how it is told that it cannot."""

from typing import Any

import pytest

from analyzer.fields import SpecError, duration
from analyzer.hooks import Gate
from analyzer.spec import parse


def canary(analysis: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo"}
    steps = {"interval": "10s", "threshold": 3, "stepWeight": 5, "maxWeight": 50}
    return {"spec": {"targetRef": target, "analysis": {**steps, **(analysis or {})}, **spec}}


def test_the_fields_of_flagger_mean_what_they_mean_there() -> None:
    spec = parse(canary(progressDeadlineSeconds=60, ingressRef={"name": "front"}, service={"name": "web", "port": 80}))
    assert (spec.target, spec.interval, spec.threshold) == ("podinfo", 10, 3)
    assert (spec.strategy.steps, spec.progress_deadline) == ((5, 10, 15, 20, 25, 30, 35, 40, 45, 50), 60)
    assert (spec.ingress, spec.service) == ("front", "web")


def test_what_is_left_out_has_flaggers_defaults() -> None:
    spec = parse({"spec": {"targetRef": {"kind": "Deployment", "name": "a"}, "analysis": {"stepWeight": 10}}})
    assert (spec.interval, spec.threshold, spec.strategy.steps[-1], spec.progress_deadline) == (60, 1, 100, 600)


def gated(**changes: object) -> dict[str, Any]:
    """A Canary with one gate, changed so."""
    gate = {"name": "load-test", "url": "http://flagger-loadtester.test/", "timeout": "5s"}
    return canary({"webhooks": [{**gate, **changes}]})


def test_a_gate_is_read_with_flaggers_defaults() -> None:
    assert parse(gated(timeout="")).gates == (Gate("load-test", "http://flagger-loadtester.test/", timeout=10.0),)
    asked = parse(gated(type="rollout", retries=3, disableTLS=True, metadata={"cmd": "hey"})).gates[0]
    assert (asked.timeout, asked.retries, asked.verify, asked.metadata) == (5.0, 3, False, {"cmd": "hey"})


@pytest.mark.parametrize(
    ("stated", "steps"),
    [
        ({"stepWeight": 20, "maxWeight": 50}, (20, 40, 50)),
        ({"stepWeight": 20, "maxWeight": 60}, (20, 40, 60)),
        ({"stepWeight": 50, "maxWeight": 20}, (20,)),
        ({"stepWeight": 100, "maxWeight": 100}, (100,)),
        ({"stepWeights": [10, 25, 50], "maxWeight": 5}, (10, 25, 50)),
        ({"stepWeight": 50, "maxWeight": 0}, (50, 100)),
    ],
)
def test_the_steps_are_listed_or_counted_and_never_above_max_weight(stated: Any, steps: tuple[int, ...]) -> None:
    assert parse(canary(stated)).strategy.steps == steps


@pytest.mark.parametrize(
    ("text", "seconds"), [("1s", 1), ("90s", 90), ("1m", 60), ("1m30s", 90), ("2h", 7200), ("1s500ms", 1.5)]
)
def test_durations_are_read_in_seconds(text: str, seconds: float) -> None:
    assert duration(text, "spec.analysis.interval") == seconds


@pytest.mark.parametrize(
    "text", ["", "0s", "10", "s", "1.5s", "-1s", "ten", "500ms", None, 10, "999999999h", "9" * 5000 + "s"]
)
def test_what_is_no_duration_is_refused_by_name(text: object) -> None:
    with pytest.raises(SpecError, match=r"spec\.analysis\.interval: .* write it like 30s or 1m"):
        duration(text, "spec.analysis.interval")


def test_a_call_may_be_given_less_than_a_second() -> None:
    webhook = {"name": "gate", "url": "http://gate.test/", "timeout": "500ms"}
    assert parse(canary({"stepWeight": 5, "webhooks": [webhook]})).gates[0].timeout == 0.5


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        (canary({"stepWeight": 0}), "spec.analysis.stepWeight"),
        (canary({"stepWeight": 101}), "spec.analysis.stepWeight"),
        (canary({"maxWeight": 101}), "spec.analysis.maxWeight"),
        (canary({"stepWeights": [10, 200]}), "spec.analysis.stepWeights"),
        (canary({"stepWeights": [10, 50, 25]}), "spec.analysis.stepWeights"),
        (canary({"stepWeights": [10, 10]}), "spec.analysis.stepWeights"),
        (canary({"threshold": -1}), "spec.analysis.threshold"),
        (gated(type="nightly"), "spec.analysis.webhooks[load-test].type"),
        (gated(url="loadtester.test"), "spec.analysis.webhooks[load-test].url"),
        (gated(url="http://loadtester.test:nothing/"), "spec.analysis.webhooks[load-test].url"),
        (gated(timeout="soon"), "spec.analysis.webhooks[load-test].timeout"),
        (gated(retries=1000), "spec.analysis.webhooks[load-test].retries"),
        (canary(provider="istio"), "spec.provider"),
        (canary({"iterations": -3}), "spec.analysis.iterations"),
        (canary(autoscalerRef={"name": "podinfo"}), "spec.autoscalerRef.kind"),
        (
            canary(autoscalerRef={"kind": "HorizontalPodAutoscaler", "apiVersion": "autoscaling/v2"}),
            "spec.autoscalerRef.name",
        ),
        (canary(autoscalerRef={"kind": "ScaledObject", "name": "a"}), "spec.autoscalerRef.apiVersion"),
        (canary({"primaryReadyThreshold": 101}), "spec.analysis.primaryReadyThreshold"),
        (canary({"canaryReadyThreshold": "most"}), "spec.analysis.canaryReadyThreshold"),
        (canary(targetRef={"kind": "DaemonSet", "name": "a"}), "spec.targetRef.kind"),
        (canary(targetRef={"kind": "Deployment"}), "spec.targetRef.name"),
        (canary(progressDeadlineSeconds="soon"), "spec.progressDeadlineSeconds"),
    ],
)
def test_what_cannot_be_carried_out_is_refused_by_the_name_of_its_field(broken: dict[str, Any], named: str) -> None:
    with pytest.raises(SpecError) as refused:
        parse(broken)
    assert refused.value.field == named
    assert str(refused.value).startswith(named)


def test_a_metric_takes_from_the_analysis_what_it_does_not_say_itself() -> None:
    metrics = [{"name": "request-duration"}, {"name": "request-success-rate", "noData": "halt", "minRequests": 0}]
    analysis = {"stepWeight": 50, "noData": "pass", "minRequests": 10, "metrics": metrics}
    spec = parse({"spec": {"targetRef": {"kind": "Deployment", "name": "web"}, "analysis": analysis}})
    assert [(each["noData"], each["minRequests"]) for each in spec.metrics] == [("pass", 10), ("halt", 0)]
