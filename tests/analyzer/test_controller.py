"""What the loop makes of a refusal: an answer to the plan, or a reason to try again later."""

from types import SimpleNamespace
from typing import Any

import pytest

from analyzer import controller
from analyzer.actions import Label, Plan
from analyzer.controller import Controller
from analyzer.kube.errors import ApiError, Refused
from analyzer.seen import Seen
from analyzer.status import Phase, Status, from_object

KEY = ("shop", "podinfo")


class Refusing:
    """Carries out nothing, and a plan that goes on as soon as it knows of that."""

    def __init__(self, phase: Phase, error: ApiError) -> None:
        stored = {"phase": phase.value, "revision": "2" * 64}
        self.canary = {"metadata": {"namespace": "shop", "name": "podinfo"}, "spec": {}, "status": stored}
        self.error = error
        self.asked = 0

    def plan(self, _spec: Any, status: Status, seen: Seen, _now: Any) -> Plan:
        """One action until it is known to be refused."""
        return Plan(status, () if seen.refused else (Label("rejected"),), wake=7.0)

    def perform(self, *_: Any) -> dict[str, Any]:
        """The API server's answer."""
        self.asked += 1
        raise self.error


def reconciled(monkeypatch: pytest.MonkeyPatch, api: Refusing) -> float | None:
    view = SimpleNamespace(seen=Seen(*KEY[::-1]), occasion=("", None), primary=None)
    monkeypatch.setattr(controller, "look", lambda *_: view)
    monkeypatch.setattr(controller, "neighbours_of", lambda *_: None)
    monkeypatch.setattr(controller, "plan", api.plan)
    idle: Any = SimpleNamespace(settle=lambda *_, **__: None, take=lambda *_: None, forget=lambda _: None, reason="")
    cluster: Any = SimpleNamespace(canary_for=lambda _: api.canary, canaries_for=lambda _: [], client=None)
    return Controller(cluster, idle, api, idle, idle, idle, idle, idle, idle, idle).reconcile(KEY)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "error", [Refused(403, "Forbidden", "no"), ApiError(500, "InternalError", "a webhook is down")]
)
def test_in_flight_every_refusal_is_an_answer_to_the_plan_which_has_a_deadline(
    monkeypatch: pytest.MonkeyPatch, error: ApiError
) -> None:
    api = Refusing(Phase.PROGRESSING, error)
    assert from_object(api.canary).phase.in_flight
    assert (reconciled(monkeypatch, api), api.asked) == (7.0, 1)


def test_at_rest_what_will_be_refused_again_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Refusing(Phase.FAILED, Refused(403, "Forbidden", "no"))
    assert (reconciled(monkeypatch, api), api.asked) == (7.0, 1)


def test_at_rest_what_may_be_accepted_later_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ApiError, match="a webhook is down"):
        reconciled(monkeypatch, Refusing(Phase.FAILED, ApiError(500, "InternalError", "a webhook is down")))
