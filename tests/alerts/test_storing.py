"""An alert is stored by the same write as the transition that it tells of: either both are there, or neither."""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from analyzer import rollouts
from analyzer.actions import Emit, Plan, Severity
from analyzer.kube.errors import ApiError, Unreachable
from analyzer.places import Places
from analyzer.rollouts import Rollouts
from analyzer.seen import Seen
from analyzer.spec import parse
from analyzer.status import Phase, Status
from tests.alerts.office import KEY, Office, subscription
from tests.alerts.services import Service

NEWS = "New revision detected! Scaling up podinfo.test"


def began(_spec: Any, status: Status, _seen: Seen, _now: Any) -> Plan:
    """A plan that begins a revision, once."""
    if status.phase is Phase.PROGRESSING:
        return Plan(status, wake=60)
    told = Emit(NEWS, milestone=True, alert=Severity.INFO)
    return Plan(replace(status, phase=Phase.PROGRESSING, revision="2" * 64), (told,), wake=60)


def working(office: Office, monkeypatch: pytest.MonkeyPatch, perform: Any = lambda *_: {}) -> Rollouts:
    """Rollouts of which only what is looked at here is real."""
    monkeypatch.setattr(rollouts, "plan", began)
    view = SimpleNamespace(seen=Seen(*KEY[::-1]), key=KEY, primary=None)
    lookout: Any = SimpleNamespace(look=lambda *_: view)
    performer: Any = SimpleNamespace(perform=perform)
    idle: Any = SimpleNamespace(reason="")
    places = Places(office.cluster, lambda _: None)
    return Rollouts(office.cluster, lookout, performer, idle, idle, office.herald, places, lambda: datetime.now(UTC))


def test_transition_and_alert_are_one_write(office: Office, chat: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    working(office, monkeypatch).reconcile(KEY)
    assert office.api.requests == ["status"]
    assert office.api.canary["status"]["phase"] == "Progressing"
    assert [entry["text"] for entry in office.waiting] == [NEWS]
    office.settled()
    assert len(chat.got) == 1


def test_a_transition_that_is_not_stored_is_not_told(
    office: Office, chat: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.api.dies_at_writes = 1
    with pytest.raises(ApiError):
        working(office, monkeypatch).reconcile(KEY)
    office.settle()
    assert not chat.paths
    working(office, monkeypatch).reconcile(KEY)
    office.settled()
    assert len(chat.got) == 1


def test_one_after_which_nothing_more_is_done_is_told_by_the_next_process(
    office: Office, chat: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: Any) -> Any:
        raise Unreachable("the process dies here")

    with pytest.raises(Unreachable):
        working(office, monkeypatch, die).reconcile(KEY)
    office.begin()
    working(office, monkeypatch).reconcile(KEY)
    office.settled()
    assert len(chat.got) == 1


def test_who_is_told_is_no_part_of_what_was_proven(office: Office) -> None:
    before = parse(office.api.canary | {"spec": spec(alerts=[])}).terms
    after = parse(office.api.canary | {"spec": spec(alerts=[subscription("chat")])}).terms
    assert before == after
    assert parse(office.api.canary | {"spec": spec(threshold=9)}).terms != before


def spec(**analysis: Any) -> dict[str, Any]:
    whole = {"interval": "10s", "threshold": 2, "stepWeight": 10, **analysis}
    return {"targetRef": {"kind": "Deployment", "name": "podinfo"}, "analysis": whole}


def test_a_canary_that_cannot_be_carried_out_is_told_of_all_the_same(
    office: Office, chat: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.api.canary["spec"]["analysis"]["stepWeight"] = "many"
    office.begin()
    working(office, monkeypatch).reconcile(KEY)
    office.settled()
    assert len(chat.got) == 1
