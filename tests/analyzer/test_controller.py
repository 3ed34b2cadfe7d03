"""What the loop makes of a refusal: an answer to the plan, or a reason to try again later."""

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from analyzer import rollouts
from analyzer.actions import Emit, Label, Plan
from analyzer.agenda import Agenda
from analyzer.controller import Controller
from analyzer.kube.errors import ApiError, Refused, Unreachable
from analyzer.pace import BURST
from analyzer.places import Places
from analyzer.rollouts import Rollouts
from analyzer.seen import Seen
from analyzer.status import Phase, Status
from analyzer.stored import from_object
from tests.analyzer.things import START

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


def rolling_out(monkeypatch: pytest.MonkeyPatch, api: Any) -> Rollouts:
    """Rollouts of which only what is looked at here is real."""
    monkeypatch.setattr(rollouts, "plan", api.plan)
    view = SimpleNamespace(seen=Seen(*KEY[::-1]), key=KEY, primary=None)
    lookout: Any = SimpleNamespace(look=lambda *_: view)
    cluster: Any = SimpleNamespace(canary_for=lambda _: api.canary, canaries=SimpleNamespace(all=lambda: ()))
    idle: Any = SimpleNamespace(reason="")
    silent: Any = SimpleNamespace(posted=lambda _key, _canary, status, *_: status)
    places = Places(cluster, lambda _: None)
    return Rollouts(cluster, lookout, api, idle, idle, silent, places, lambda: START)


def reconciled(monkeypatch: pytest.MonkeyPatch, api: Refusing) -> float | None:
    return rolling_out(monkeypatch, api).reconcile(KEY)


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


class Failing:
    """A duty that cannot be done."""

    def __init__(self, error: Exception) -> None:
        self.error, self.asked = error, 0

    def __call__(self, _: Any) -> None:
        """Not now."""
        self.asked += 1
        raise self.error


@pytest.mark.parametrize("error", [Refused(403, "Forbidden", "no"), Unreachable("no answer"), ValueError("a fault")])
def test_a_duty_that_fails_keeps_no_rollout_from_going_on(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    api, failing = Refusing(Phase.PROGRESSING, Refused(403, "Forbidden", "no")), Failing(error)
    controller = Controller(Agenda(), (failing, rolling_out(monkeypatch, api).reconcile), lambda _: True)
    waits = [controller.attend(KEY) for _ in range(6)]
    assert (api.asked, failing.asked) == (6, 6)
    assert waits == [0.5, 1.0, 2.0, 4.0, 7.0, 7.0]  # of the rollout at the latest, which asked for 7


def test_the_control_characters_of_others_reach_neither_status_nor_event(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Refusing(Phase.PROGRESSING, Refused(403, "Forbidden", "no\x1b]0;yours\x07\nsaid \u202epolicy"))
    heard: list[str] = []

    def plan(spec: Any, status: Status, seen: Seen, now: Any) -> Plan:
        heard.append(seen.refused)
        return api.plan(spec, status, seen, now)

    rolling = rolling_out(monkeypatch, api)
    monkeypatch.setattr(rollouts, "plan", plan)
    rolling.reconcile(KEY)
    assert heard == ["", "no]0;yours said policy"]
    assert Emit("\x1b[2Jgone\r\nforged").text == "[2Jgone forged"


@pytest.mark.parametrize("known", [True, False])
def test_nobody_looks_as_fast_as_the_machine_can_at_what_there_is(known: bool) -> None:
    looks, agenda = [0], Agenda()

    def endless(key: Any) -> float | None:
        looks[0] += 1
        if looks[0] == 2 * BURST:
            agenda.close()
        agenda.add(key)  # as a watch does that hears of a write of ours
        return None

    closing = threading.Timer(1.5, agenda.close)
    closing.start()
    agenda.add(KEY)
    Controller(agenda, [endless], lambda _: known)._work()
    closing.cancel()
    assert looks[0] >= BURST
    assert (looks[0] < 2 * BURST) is known
