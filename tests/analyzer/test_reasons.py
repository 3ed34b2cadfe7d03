"""Why a canary, or a primary that is promoted, is not ready: asked when it gets no further, and told once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from analyzer.actions import Emit, Measure, Plan, Route
from analyzer.examine import examined
from analyzer.hooks import Kind
from analyzer.kube.errors import Refused
from analyzer.metrics.verdict import Check, Result
from analyzer.plan import plan
from analyzer.seen import Canary, Primary, Seen
from analyzer.status import Ending, Outcome, Phase, Status
from tests.analyzer.ill import CRASHED, pod
from tests.analyzer.things import SPEC, START, V1, V2

Object = dict[str, Any]

REASON = "container web crashes: it ended with exit code 2 (Error)"
UNREADY = f"canary deployment podinfo-canary.shop not ready: {REASON}"
WAITING = "waiting for rollout to finish: 0 of 1 updated replicas are available"

RUNNING = Status(phase=Phase.PROGRESSING, revision=V2, base=V1, started=START, step_time=START, terms=SPEC.terms)
UNDER_TRAFFIC = replace(RUNNING, weight=20, check_time=START, problem="")
PROMOTING = replace(RUNNING, phase=Phase.PROMOTING, weight=60)


def seen(status: Status, reason: str = REASON, crashed: bool = True, **changes: Any) -> Seen:
    """A canary that is not ready, with routes that are as they should be."""
    canary = Canary(V2, 1, ready=False, available=0, progress=WAITING, reason=reason, crashed=crashed and bool(reason))
    primary = Primary(V1, stash=V2, state="analysing")
    found = Seen("podinfo", "shop", primary, target=True, labelled=True, canary=canary)
    return replace(found, **{"weight": status.weight, "routed": True, "leftovers": True} | changes)


def promoting(reason: str = REASON) -> Seen:
    primary = Primary(V2, previous=V1, ready=False, progress=WAITING, state="analysing", reason=reason)
    return seen(PROMOTING, primary=primary, canary=Canary(V2, 2, ready=True, available=2))


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def told(planned: Plan) -> list[str]:
    """What the user's Deployment is told."""
    return [action.text for action in planned.actions if isinstance(action, Emit) and action.milestone]


def test_why_a_canary_is_not_ready_is_told_once() -> None:
    first = plan(SPEC, RUNNING, seen(RUNNING), at(3))
    assert first.status.problem == UNREADY
    assert told(first) == [f"Halt podinfo.shop advancement {UNREADY}"]
    assert told(plan(SPEC, first.status, seen(RUNNING), at(6))) == []


def test_a_canary_that_merely_starts_is_no_event() -> None:
    planned = plan(SPEC, RUNNING, seen(RUNNING, reason=""), at(1))
    assert (planned.status.problem.endswith(WAITING), told(planned)) == (True, [])


def test_a_canary_that_never_becomes_ready_fails_at_its_deadline_and_says_why() -> None:
    assert plan(SPEC, RUNNING, seen(RUNNING), at(SPEC.progress_deadline - 1)).status.ending is None
    ending = plan(SPEC, RUNNING, seen(RUNNING), at(SPEC.progress_deadline)).status.ending
    assert ending
    assert (ending.outcome, ending.message) == (Outcome.FAILED, f"{UNREADY}: exceeded its progress deadline")


def test_pods_are_looked_at_soon_and_then_more_and_more_rarely() -> None:
    patient = replace(SPEC, interval=30)
    wakes = [plan(patient, RUNNING, seen(RUNNING, reason=""), at(waited)).wake for waited in (0, 1, 5, 20, 50)]
    assert wakes == [2.5, 2.5, 5, 20, 10]
    for waited, wake in ((0, 2.5), (8, 8), (20, 10), (55, 5)):
        assert plan(SPEC, PROMOTING, promoting(""), at(waited)).wake == wake


def test_every_crash_under_traffic_is_a_failed_check_at_once() -> None:
    crashed = plan(SPEC, UNDER_TRAFFIC, seen(UNDER_TRAFFIC), at(1)).status
    back = seen(UNDER_TRAFFIC, canary=Canary(V2, 1, ready=True, available=1))
    routed = plan(SPEC, crashed, replace(back, weight=0), at(2)).status
    measured = plan(SPEC, routed, back, at(3)).status
    assert (measured.failed_checks, measured.ending) == (1, None)
    again = plan(SPEC, measured, seen(UNDER_TRAFFIC), at(4)).status
    assert (again.failed_checks, again.ending and again.ending.outcome) == (2, Outcome.FAILED)


def test_a_crash_that_lasts_is_one_failed_check_for_each_interval() -> None:
    first = plan(SPEC, UNDER_TRAFFIC, seen(UNDER_TRAFFIC), at(3))
    assert (first.status.failed_checks, first.status.problem) == (1, UNREADY)
    assert f"Halt podinfo.shop advancement {UNREADY}" in [a.text for a in first.actions if isinstance(a, Emit)]
    again = plan(SPEC, first.status, seen(UNDER_TRAFFIC, weight=0), at(4))
    assert (again.status.failed_checks, again.wake) == (1, 9)
    ended = plan(SPEC, first.status, seen(UNDER_TRAFFIC), at(13)).status
    assert (ended.failed_checks, ended.ending and ended.ending.outcome) == (2, Outcome.FAILED)


@pytest.mark.parametrize(
    ("status", "primary"),
    [
        (UNDER_TRAFFIC, Primary(V1, stash=V2, state="analysing")),
        (UNDER_TRAFFIC, Primary(V1, stash=V2, state="analysing", paused=True)),
        (PROMOTING, Primary(V2, previous=V1, ready=False, progress=WAITING)),
        (replace(PROMOTING, ending=Ending(Outcome.FAILED, "")), Primary(V1, stash=V2, ready=False, state="rejected")),
    ],
    ids=["analysed", "paused", "promoted", "primary on its way back"],
)
@pytest.mark.parametrize("canary", [None, Canary(V2, 1, ready=False, available=0)], ids=["deleted", "no pod"])
def test_a_canary_that_nobody_answers_for_gets_no_requests(
    status: Status, primary: Primary, canary: Canary | None
) -> None:
    deserted = seen(status, primary=primary, canary=canary, rehearsal="")
    planned = plan(SPEC, status, deserted, at(3))
    assert [action for action in planned.actions if isinstance(action, Route)] == [Route(0, V2)]
    assert planned.status.weight == status.weight
    again = plan(SPEC, planned.status, replace(deserted, weight=0), at(4))
    assert not [action for action in again.actions if isinstance(action, Route)]


def test_a_canary_that_is_there_too_rarely_to_be_judged_fails_at_its_deadline_and_says_why() -> None:
    gone = plan(SPEC, UNDER_TRAFFIC, seen(UNDER_TRAFFIC, reason="", weight=0), at(5)).status
    back = seen(gone, canary=Canary(V2, 1, ready=True, available=1), weight=0)
    ending = plan(SPEC, gone, back, at(SPEC.progress_deadline)).status.ending
    assert ending
    assert ending.message.startswith("canary deployment podinfo-canary.shop not ready: ")


def test_a_canary_that_is_back_gets_its_share_back_and_is_judged_by_what_comes_from_then_on() -> None:
    back = seen(UNDER_TRAFFIC, canary=Canary(V2, 1, ready=True, available=1), weight=0)
    planned = plan(SPEC, UNDER_TRAFFIC, back, at(9))
    assert planned.actions == (Route(20, V2),)
    assert plan(SPEC, planned.status, replace(back, weight=20), at(10)).status.check_time == at(10)


def test_pods_that_are_evicted_under_traffic_are_no_evidence_until_a_check_is_due() -> None:
    evicted = seen(UNDER_TRAFFIC, reason="")
    waits = plan(SPEC, UNDER_TRAFFIC, evicted, at(3))
    assert (waits.status.failed_checks, told(waits)) == (0, [])
    nowhere = seen(waits.status, reason="no node takes its pods: Insufficient cpu", crashed=False, weight=0)
    halted = plan(SPEC, waits.status, nowhere, at(4))
    assert (halted.status.failed_checks, len(told(halted))) == (0, 1)
    assert told(plan(SPEC, halted.status, nowhere, at(5))) == []
    back = replace(evicted, canary=Canary(V2, 1, ready=True, available=1))
    assert plan(SPEC, UNDER_TRAFFIC, back, at(10)).actions == (
        Measure((Kind.ROLLOUT, Kind.ROLLBACK), then=Kind.CONFIRM_TRAFFIC_INCREASE),
    )


def test_a_crash_with_weight_counts_however_good_the_measurement_is() -> None:
    good = (Check("success", Result.PASSED, "success 100"),)
    assert plan(SPEC, UNDER_TRAFFIC, seen(UNDER_TRAFFIC, checks=good), at(10)).status.failed_checks == 1


def test_a_primary_that_breaks_while_it_is_promoted_says_why_while_it_is_waited_for_and_at_the_end() -> None:
    halted = plan(SPEC, PROMOTING, promoting(), at(3))
    assert halted.status.problem == f"primary not ready: {REASON}"
    assert told(halted) == [f"Halt podinfo.shop promotion primary not ready: {REASON}"]
    assert told(plan(SPEC, halted.status, promoting(), at(8))) == []
    ended = plan(SPEC, halted.status, promoting(), at(SPEC.progress_deadline))
    assert ended.status.ending
    assert ended.status.ending.message == f"Promotion of podinfo.shop failed, primary not ready: {REASON}"


class Cluster:
    """What `examined` wants of the cluster; `asked` are the requests that it made for it."""

    diverted = None

    def __init__(self, *pods: Object, error: Exception | None = None, **status: Any) -> None:
        condition = {"type": "Progressing", "status": "True", "lastUpdateTime": "2026-01-01T00:00:00Z"}
        self.deployment = {
            "metadata": {"name": "podinfo-canary", "namespace": "shop", "generation": 1},
            "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "podinfo-canary"}}},
            "status": {"observedGeneration": 1, "conditions": [condition, *status.pop("conditions", ())], **status},
        }
        self.asked: list[Object] = []
        self.pods, self.error, self.client = pods, error, self

    def parts(self, *_: object) -> tuple[Object, ...]:
        return (self.deployment,)

    def list(self, resource: Any, namespace: str, **query: str) -> Object:
        self.asked.append({"plural": resource.plural, "namespace": namespace, **query})
        if self.error:
            raise self.error
        return {"items": list(self.pods)}


def reason(cluster: Any, status: Status = RUNNING, seconds: float = 60, **changes: Any) -> str:
    view: Any = SimpleNamespace(
        seen=replace(seen(status, reason=""), **changes), key=("shop", "podinfo"), primary=cluster.deployment
    )
    found = examined(cluster, view, status, datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))
    if status.phase is Phase.PROMOTING:
        return found.primary.reason if found.primary else ""
    return found.canary.reason if found.canary else ""


def test_the_pods_of_a_canary_that_gets_no_further_are_asked_for_once() -> None:
    cluster = Cluster(pod(CRASHED))
    assert reason(cluster) == REASON
    assert [(one["plural"], one["namespace"]) for one in cluster.asked] == [("pods", "shop")]
    assert cluster.asked[0]["labelSelector"] == "app=podinfo-canary"


@pytest.mark.parametrize(
    ("status", "seconds", "changes"),
    [
        (RUNNING, 1, {}),
        (RUNNING, 60, {"canary": Canary(V2, 1, ready=True, available=1)}),
        (RUNNING, 60, {"canary": None}),
        (PROMOTING, 60, {"primary": Primary(V2, previous=V1)}),
        (PROMOTING, 60, {"primary": Primary(V1, stash=V2, ready=False)}),
        (replace(RUNNING, phase=Phase.FAILED), 60, {}),
        (RUNNING.rest(), 60, {}),
    ],
    ids=["it has just begun", "ready", "no canary", "primary ready", "not yet asked for", "failed", "at rest"],
)
def test_nobody_is_asked_while_all_goes_well_or_nothing_is_in_flight(
    status: Status, seconds: float, changes: Object
) -> None:
    cluster = Cluster(pod(CRASHED))
    assert not reason(cluster, status, seconds, **changes)
    assert cluster.asked == []


def test_the_pods_of_a_primary_are_asked_for_only_while_it_is_promoted() -> None:
    cluster = Cluster(pod(CRASHED))
    assert reason(cluster, PROMOTING, primary=Primary(V2, previous=V1, ready=False)) == REASON


def test_what_the_api_server_refuses_needs_no_look_at_pods() -> None:
    message = 'pods "podinfo-canary-1-x" is forbidden: exceeded quota: small'
    failure = {"type": "ReplicaFailure", "status": "True", "message": message}
    cluster = Cluster(pod(CRASHED), conditions=[failure])
    assert reason(cluster) == "exceeded quota: small"
    assert cluster.asked == []


def test_not_to_be_allowed_to_look_is_no_fault() -> None:
    assert reason(Cluster(error=Refused(403, "Forbidden", "pods is forbidden"))) == ""
