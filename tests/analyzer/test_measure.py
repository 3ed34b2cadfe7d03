"""Which gates one measurement calls, in which order, and what it leaves out after a no."""

import json
from collections.abc import Iterator
from typing import Any, cast

import pytest

from analyzer.actions import Measure
from analyzer.cluster import Cluster
from analyzer.gauges import Reach
from analyzer.hooks import Kind
from analyzer.measure import Measurer
from analyzer.metrics.verdict import Check, Result
from analyzer.status import Phase
from analyzer.strategy import Strategy
from analyzer.view import View
from tests.analyzer.mock_prometheus import LOOPBACK, Mock, pretending, send
from tests.analyzer.objects import deployment

V2 = "2" * 64
EVERY = (Kind.ROLLBACK, Kind.PRE_ROLLOUT, Kind.ROLLOUT)
NEVER_THERE = {"name": "rate", "templateRef": {"name": "rate"}}
"""A metric that cannot be measured: so it shows whether it was tried."""


class NoTemplates:
    """A cluster without MetricTemplates."""

    @property
    def templates(self) -> "NoTemplates":
        return self

    def get(self, _namespace: str, _name: str) -> None:
        return None


@pytest.fixture
def server() -> Iterator[Mock]:
    """Gates that answer with the status in their path: /200/name."""
    with pretending() as mock:
        mock.behaviour = lambda handler: send(handler, int(handler.path.split("/")[1]), b"")
        yield mock


def measured(server: Mock, wanted: Measure, *gates: tuple[Kind, str, int], **analysis: Any) -> list[str]:
    """What came of each, as `name result`."""
    return [f"{check.name} {check.result}" for check in checks(server, wanted, *gates, **analysis)]


def checks(server: Mock, wanted: Measure, *gates: tuple[Kind, str, int], **analysis: Any) -> tuple[Check, ...]:
    webhooks = [
        {"name": name, "type": kind.value, "url": f"{server.address}/{status}/{name}"} for kind, name, status in gates
    ]
    spec = {
        "targetRef": {"kind": "Deployment", "name": "web"},
        "analysis": {"stepWeight": 50, "webhooks": webhooks, **analysis},
    }
    canary = {"metadata": {"name": "web", "namespace": "shop"}, "spec": spec}
    occasion = (V2, Phase.WAITING, None)
    view = View(cast("Any", None), ("shop", "web"), canary, deployment(), None, None, occasion, Strategy((50, 100)))
    return Measurer(cast("Cluster", NoTemplates()), Reach(LOOPBACK))(view, wanted)


def called(server: Mock) -> list[str]:
    """Names, in the order of the calls."""
    return [path.split("/")[2] for _, path, _, _ in server.asked]


def test_only_the_kinds_that_are_asked_for_are_called(server: Mock) -> None:
    everyone = [(kind, kind.value, 403 if kind is Kind.ROLLBACK else 200) for kind in Kind]
    for wanted in (Measure((Kind.CONFIRM_ROLLOUT,)), Measure(EVERY), Measure((), then=Kind.CONFIRM_PROMOTION)):
        server.asked.clear()
        measured(server, wanted, *everyone)
        expected = [*wanted.kinds, *([wanted.then] if wanted.then else [])]
        assert called(server) == [kind.value for kind in expected]


def test_a_rollback_is_asked_first_and_its_yes_is_the_last_word(server: Mock) -> None:
    gates = [(Kind.ROLLOUT, "load", 200), (Kind.ROLLBACK, "back", 200)]
    assert measured(server, Measure(EVERY), *gates, metrics=[NEVER_THERE]) == ["back failed"]
    assert called(server) == ["back"]


def test_after_a_check_that_is_not_passed_no_other_is_called(server: Mock) -> None:
    """They are in the user's order: no load is needed where the acceptance tests have failed."""
    gates = [(Kind.PRE_ROLLOUT, "accept", 200), (Kind.PRE_ROLLOUT, "conform", 500), (Kind.ROLLOUT, "load", 200)]
    assert measured(server, Measure(EVERY), *gates, metrics=[NEVER_THERE]) == ["accept passed", "conform failed"]
    assert called(server) == ["accept", "conform"]


def test_metrics_are_asked_after_the_gates_and_consent_after_both(server: Mock) -> None:
    wanted = Measure(EVERY, then=Kind.CONFIRM_PROMOTION)
    gates = [(Kind.CONFIRM_PROMOTION, "ann", 403), (Kind.ROLLOUT, "load", 200)]
    assert measured(server, wanted, *gates) == ["load passed", "ann waiting"]
    server.asked.clear()
    assert measured(server, wanted, *gates, metrics=[NEVER_THERE]) == ["load passed", "rate unmeasured"]
    assert called(server) == ["load"]


def test_all_who_have_to_consent_are_asked_so_that_it_is_known_who_is_waited_for(server: Mock) -> None:
    gates = [(Kind.CONFIRM_ROLLOUT, name, status) for name, status in (("ann", 403), ("bob", 200), ("cas", 403))]
    assert measured(server, Measure((Kind.CONFIRM_ROLLOUT,)), *gates) == ["ann waiting", "bob passed", "cas waiting"]


@pytest.mark.parametrize(("kind", "phase"), [(Kind.ROLLBACK, "Waiting"), (Kind.CONFIRM_ROLLOUT, "Progressing")])
def test_the_payload_has_flaggers_phase_and_tells_revisions_apart(server: Mock, kind: Kind, phase: str) -> None:
    """Flagger tells the phase that is to those of a rollback alone."""
    measured(server, Measure((kind,)), (kind, "gate", 403))
    sent = json.loads(server.sent[0])
    assert (sent["phase"], sent["checksum"], sent["name"], sent["namespace"]) == (phase, V2, "web", "shop")


def test_what_is_waited_for_counts_neither_for_nor_against(server: Mock) -> None:
    (check,) = checks(server, Measure((Kind.CONFIRM_ROLLOUT,)), (Kind.CONFIRM_ROLLOUT, "ann", 403))
    assert (check.result, check.failed, check.unknown, check.kind) == (
        Result.WAITING,
        False,
        False,
        Kind.CONFIRM_ROLLOUT,
    )
