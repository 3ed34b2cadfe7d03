"""What is counted where, and under which labels."""

import logging
from collections.abc import Mapping

import pytest

from analyzer import telemetry, trace
from analyzer.agenda import Agenda
from analyzer.attempts import Attempts
from analyzer.kube.errors import ApiError, Conflict, Fenced, NotFound, Refused, Unreachable
from analyzer.kube.meter import described
from detour import logs

KEY = ("shop", "podinfo")


def sample(name: str, **labels: str) -> float:
    return telemetry.REGISTRY.get_sample_value(name, labels) or 0.0


@pytest.mark.parametrize(
    ("method", "path", "query", "verb", "resource"),
    [
        ("GET", "/api/v1/services", {}, "list", "services"),
        ("GET", "/api/v1/services", {"watch": "true"}, "watch", "services"),
        ("GET", "/apis/apps/v1/namespaces/shop/deployments/podinfo", {}, "get", "deployments"),
        ("GET", "/apis/apps/v1/namespaces/shop/deployments", {}, "list", "deployments"),
        ("PUT", "/apis/flagger.app/v1beta1/namespaces/shop/canaries/podinfo/status", {}, "update", "canaries/status"),
        ("PATCH", "/api/v1/namespaces/shop/services/podinfo-canary", {}, "patch", "services"),
        ("POST", "/api/v1/namespaces/shop/events", {}, "create", "events"),
        ("DELETE", "/apis/networking.k8s.io/v1/namespaces/shop/ingresses/a", {}, "delete", "ingresses"),
        ("GET", "/api/v1/namespaces", {}, "list", "namespaces"),
        ("GET", "/api/v1/namespaces/shop", {}, "get", "namespaces"),
        ("GET", "/version", {}, "get", "version"),
    ],
)
def test_a_request_is_counted_by_what_it_is_whatever_its_object_is_called(
    method: str, path: str, query: Mapping[str, str], verb: str, resource: str
) -> None:
    assert described(method, path, query) == (verb, resource)


def test_no_answer_is_counted_too() -> None:
    labels = {"verb": "list", "resource": "services", "code": "none"}
    before = sample("detour_api_requests_total", **labels)
    telemetry.requested("GET", "/api/v1/services", None, 0, 3.0)
    assert sample("detour_api_requests_total", **labels) == before + 1


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Conflict(409, "Conflict", ""), "conflict"),
        (Fenced(403, "Forbidden", ""), "fenced"),
        (NotFound(404, "NotFound", ""), "not found"),
        (Refused(422, "Invalid", ""), "refused"),
        (Unreachable("gone"), "unreachable"),
        (ApiError(500, "InternalError", ""), "api"),
        (KeyError("x"), "fault"),
    ],
)
def test_what_failed_is_counted_by_why(error: Exception, reason: str) -> None:
    def duty(_: object) -> None:
        raise error

    before = sample("detour_reconcile_failures_total", reason=reason)
    assert Attempts().all_of(KEY, duty)
    assert sample("detour_reconcile_failures_total", reason=reason) == before + 1


def test_the_lag_is_from_when_a_look_was_due() -> None:
    now = [0.0]
    agenda, before = Agenda(lambda: now[0]), sample("detour_reconcile_lag_seconds_sum")
    agenda.add(KEY, 1.0)
    assert agenda.overdue == 0
    now[0] = 3.0
    assert agenda.overdue == 1
    agenda.take()
    assert sample("detour_reconcile_lag_seconds_sum") == before + 2.0
    assert agenda.overdue == 0


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("let past by alice: hotfix", "bypass"),
        ("opted out by alice", "opted-out"),
        ("changed directly by alice: it has 0 replicas", "direct"),
        ("changed past the webhook, which was not called: 0123456789 runs without an analysis", "unseen"),
    ],
)
def test_what_was_let_past_is_counted_by_its_way(sentence: str, reason: str) -> None:
    before = sample("detour_let_past_total", reason=reason)
    telemetry.let_past(sentence)
    assert sample("detour_let_past_total", reason=reason) == before + 1


def test_every_line_of_one_look_has_its_id_and_whom_it_is_about() -> None:
    form = logs.Printable("%(message)s")
    record = logging.LogRecord("detour", logging.INFO, "here.py", 1, "told", (), None)
    with trace.about(*KEY):
        trace.note(revision="0123456789")
        trace.note(revision="")
        first = form.format(record)
    with trace.about(*KEY):
        second = form.format(record)
    assert first.startswith("told id=")
    assert first.endswith(" namespace=shop name=podinfo revision=0123456789")
    assert first.split()[1] != second.split()[1]
    assert form.format(record) == "told"
