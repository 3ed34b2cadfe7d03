"""What a real API server says to Canaries: yes to Flagger's YAML, to all else a sentence that helps."""

import copy
import re
from typing import Any

import pytest

from tests.manifests.kubectl import kubectl

pytestmark = pytest.mark.cluster

CANARY: dict[str, Any] = {
    "apiVersion": "flagger.app/v1beta1",
    "kind": "Canary",
    "metadata": {"name": "refusals", "namespace": "default"},
    "spec": {
        "provider": "nginx",
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "ingressRef": {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": "web"},
        "progressDeadlineSeconds": 60,
        "service": {"port": 80, "portName": "http", "targetPort": "web"},
        "analysis": {
            "interval": "10s",
            "threshold": 3,
            "maxWeight": 50,
            "stepWeight": 5,
            "metrics": [
                {
                    "name": "rate",
                    "interval": "10s",
                    "templateRef": {"name": "rate", "namespace": "default"},
                    "thresholdRange": {"min": 99},
                },
                {"name": "request-duration", "interval": "1m", "thresholdRange": {"max": 500.5}},
            ],
            "webhooks": [
                {
                    "name": "load",
                    "type": "rollout",
                    "url": "http://loadtester.test/",
                    "timeout": "5s",
                    "metadata": {"cmd": "hey http://web"},
                }
            ],
            "alerts": [{"name": "chat", "severity": "error", "providerRef": {"name": "chat"}}],
        },
    },
}

SCALER = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "name": "web"}


def with_value(path: str, value: Any) -> dict[str, Any]:
    """The Canary with one field of its spec set, or removed where the value is None."""
    canary = copy.deepcopy(CANARY)
    *parents, last = path.split(".")
    found: Any = canary["spec"]
    for name in parents:
        found = found[int(name)] if name.isdigit() else found[name]
    found[int(last) if last.isdigit() else last] = value
    if value is None:
        del found[last]
    return canary


def said(given: dict[str, Any]) -> str:
    answer = kubectl("create", "--dry-run=server", "--validate=strict", "-f", "-", given=given)
    return answer.stderr if answer.returncode else ""


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("provider", "nginx"),
        ("analysis.interval", "1s"),
        ("analysis.interval", "1m30s"),
        ("analysis.threshold", 0),
        ("service.targetPort", 8080),
        ("targetRef.kind", "DaemonSet"),
        ("skipAnalysis", True),
        ("analysis.maxWeight", 0),
        ("analysis.metrics.0.interval", "1m30s"),
        ("analysis.metrics.0.name", "request-duration"),
        ("analysis.metrics", []),
        ("analysis.metrics.0", {"name": "errors", "query": "vector(0)", "threshold": 1}),
        ("service.name", ""),
        ("service.targetPort", 0),
        ("targetRef.name", "web-1.example"),
        ("analysis", {"interval": "15000ms", "threshold": 1, "stepWeights": [5, 20, 50]}),
        ("analysis.webhooks.0.timeout", "500ms"),
        ("analysis.webhooks.0.timeout", "2h"),
        ("analysis.webhooks.0.url", "https://user:pass@[2001:db8::1]:8443/gate?of=web"),
        ("analysis.webhooks.0", {"name": "ann", "type": "confirm-promotion", "deadline": "24h"}),
        ("analysis.webhooks.0", {"name": "ann", "type": "confirm-rollout", "url": ""}),
        ("metricsServer", ""),
        ("metricsServer", "https://prometheus.example/p"),
        ("freezes", [{"schedule": "0 16 * * FRI", "duration": "64h", "timeZone": "Europe/Berlin"}]),
    ],
)
def test_a_canary_is_accepted(path: str, value: Any) -> None:
    assert said(with_value(path, value)) == ""


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("analysis.interval", "0s", "spec.analysis.interval: .* must be a duration from 1s to 720h, such as 30s"),
        ("analysis.interval", "10", "spec.analysis.interval: .* must be a duration from 1s to 720h"),
        ("analysis.interval", "-10s", "spec.analysis.interval: .* must be a duration from 1s to 720h"),
        ("analysis.interval", "1000h", "spec.analysis.interval: .* must be a duration from 1s to 720h"),
        ("analysis.interval", 10, "spec.analysis.interval: .* must be of type string"),
        ("analysis.interval", "10x", "spec.analysis.interval: .* must be a duration from 1s to 720h, such as 30s"),
        ("analysis.interval", None, "spec.analysis.interval: Required value"),
        ("analysis.threshold", None, "spec.analysis.threshold: Required value"),
        ("analysis.stepWeight", None, "set exactly one of stepWeight .* stepWeights .* and iterations"),
        ("analysis.iterations", 3, "set exactly one of stepWeight .* stepWeights .* and iterations"),
        ("analysis.stepWeight", 101, "spec.analysis.stepWeight: .* less than or equal to 100"),
        (
            "analysis.stepWeight",
            0,
            "spec.analysis.stepWeight: .*0 would never give the canary any traffic, set 1 to 100",
        ),
        ("analysis.stepWeight", -1, "spec.analysis.stepWeight: .* greater than or equal to 0"),
        ("analysis.stepWeight", "5", "spec.analysis.stepWeight: .* must be of type integer"),
        ("analysis.maxWeight", 101, "spec.analysis.maxWeight: .* less than or equal to 100"),
        ("analysis.threshold", -1, "spec.analysis.threshold: .* greater than or equal to 0"),
        ("analysis", {}, "spec.analysis.interval: Required value"),
        ("analysis", None, "spec.analysis: Required value"),
        ("progressDeadlineSeconds", 0, "spec.progressDeadlineSeconds: .* greater than or equal to 1"),
        ("analysis.metrics.0.name", None, r"metrics\[0\].name: Required value"),
        ("analysis.metrics.0.name", "", r"metrics\[0\].name: .* at least 1 char"),
        ("analysis.metrics.0.interval", "0s", r"metrics\[0\].interval: .* must be a duration from 1s to 720h"),
        ("analysis.metrics.0.interval", "1d", r"metrics\[0\].interval: .* must be a duration from 1s to 720h"),
        ("analysis.metrics.0.templateRef", None, r"metrics\[0\]: .* name a MetricTemplate in templateRef"),
        ("analysis.metrics.0.templateRef.name", "", r"templateRef.name: .* at least 1 char"),
        ("analysis.metrics.0.thresholdRange", {}, "thresholdRange: .* set min or max, or nothing could fail"),
        ("analysis.metrics.0.thresholdRange.min", "99", "thresholdRange.min: .* must be of type number"),
        ("analysis.metrics.0.thresholdRange.max", 9, "thresholdRange: .* min must not be greater than max"),
        (
            "analysis.webhooks.0.url",
            "ftp://x",
            r"webhooks\[0\].url: .* must be an address, such as http://flagger-load",
        ),
        ("analysis.webhooks.0.type", "before", r"webhooks\[0\].type: Unsupported value: \"before\": supported values"),
        ("analysis.stepWeigth", 5, 'unknown field "spec.analysis.stepWeigth"'),
        ("analysis.webhooks.0.url", "http://", r"webhooks\[0\].url: .* must be an address"),
        ("analysis.webhooks.0.url", "http://:8080/", r"webhooks\[0\].url: .* must be an address"),
        ("analysis.webhooks.0.url", "http://a b/", r"webhooks\[0\].url: .* must be an address"),
        ("analysis.webhooks.0.timeout", "10sec", r"webhooks\[0\].timeout: .* must be a duration, such as 30s or 1m30s"),
        ("analysis.webhooks.0.timeout", "0s", r"webhooks\[0\].timeout: .* must be a duration"),
        ("analysis.webhooks.0.url", None, r"webhooks\[0\]: .* url is missing: only confirm-rollout"),
        ("analysis.webhooks.0.url", "", r"webhooks\[0\]: .* url is missing: only confirm-rollout"),
        ("analysis.webhooks.0.deadline", "1h", r"webhooks\[0\]: .* deadline is for .*: nothing else waits"),
        (
            "analysis.webhooks.0",
            {"name": "ann", "type": "confirm-promotion", "deadline": "1d"},
            r"webhooks\[0\].deadline: .* must be a duration, such as 30m or 24h",
        ),
        ("metricsServer", "prometheus:9090", "spec.metricsServer: .* must be an address, such as http://prometheus"),
        (
            "freezes",
            [{"schedule": "FRI 16:00", "duration": "1h"}],
            r"freezes\[0\].schedule: .* must be five fields as in",
        ),
        (
            "freezes",
            [{"schedule": "@weekly", "duration": "1h"}],
            r"freezes\[0\].schedule: .* must be five fields as in",
        ),
        (
            "freezes",
            [{"schedule": "0 1 * * *", "duration": "2d"}],
            r"freezes\[0\].duration: .* must be a duration from",
        ),
        (
            "freezes",
            [{"schedule": "0 1 * * *", "duration": "1h", "timeZone": "GMT + 1"}],
            r"freezes\[0\].timeZone: .* must be a name of the IANA time zone database, such as Europe/Berlin",
        ),
        (
            "autoscalerRef",
            {**SCALER, "primaryScalerReplicas": {"minReplicas": 3, "maxReplicas": 2}},
            "primaryScalerReplicas: .* minReplicas must not be greater than maxReplicas",
        ),
        ("targetRef.name", "", "spec.targetRef.name: .* at least 1 char"),
        ("targetRef.name", "Web", "spec.targetRef.name: .* must be the name of an object: lower-case"),
        ("targetRef.name", "w" * 254, "spec.targetRef.name: .*(may not be|be at most) .*253"),
        ("ingressRef.name", "", "spec.ingressRef.name: .* at least 1 char"),
        ("service.name", "Bad_Name", "spec.service.name: .* must be the name of a Service: lower-case"),
        ("service.portName", "Bad Port", "spec.service.portName: .* must be the name of a port: lower-case"),
        ("service.targetPort", 70000, "spec.service.targetPort: .* must be a number up to 65535, or the name"),
        ("targetRef", None, "spec.targetRef: Required value"),
        ("targetRef.kind", "StatefulSet", 'spec.targetRef.kind: Unsupported value: "StatefulSet"'),
        ("service.port", 70000, "spec.service.port: .* less than or equal to 65535"),
        ("provider", "haproxy", 'spec.provider: Unsupported value: "haproxy": supported values: .*nginx'),
    ],
)
def test_a_canary_is_refused_with_the_field_and_the_remedy(path: str, value: Any, sentence: str) -> None:
    assert re.search(sentence, said(with_value(path, value)))


@pytest.mark.parametrize(
    ("weights", "fits"),
    [
        ([5, 20, 50], True),
        ([100], True),
        ([0, 20], False),
        ([20, 10], False),
        ([20, 20], False),
        ([50, 101], False),
        ([], False),
    ],
)
def test_weights_rise_from_1_to_100(weights: list[int], fits: bool) -> None:
    canary = with_value("analysis", {"interval": "10s", "threshold": 1, "stepWeights": weights})
    assert bool(said(canary)) is not fits
    if weights in ([0, 20], [20, 10], [20, 20]):
        assert "spec.analysis.stepWeights: Invalid value: " in said(canary)
        assert "must be percentages from 1 to 100, each above the one before, such as [5, 20, 50]" in said(canary)


def test_what_is_not_analysed_may_have_any_weights_as_with_flagger() -> None:
    canary = with_value("analysis", {"interval": "10s", "threshold": 1, "stepWeights": [20, 10]})
    canary["spec"]["skipAnalysis"] = True
    assert said(canary) == ""
