"""The one way out, for every ending: weight, drain, routes, pods, and only then the last word.

Success and failure differ in what is decided before and what is written last; nobody's requests are cut off in
either. Each call does what is missing, so a crash anywhere is carried on from.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from analyzer.actions import AGAIN, Action, Ask, Emit, RemoveCanary, Route, Severity, Unroute
from analyzer.autoscaling import rescue, returning
from analyzer.beginning import begin, is_rejected, not_yet
from analyzer.hooks import Kind
from analyzer.resting import labelled
from analyzer.seen import Seen
from analyzer.spec import Spec
from analyzer.status import Ending, Outcome, Phase, Status, seconds_left
from analyzer.strategy import START
from webhook import stash

LEEWAY = timedelta(seconds=5)
"""For so long after it was stored when the pods will be gone, they may be deleted without storing it anew."""

Step = tuple[Status, tuple[Action, ...], float | None]


def leave(spec: Spec, status: Status, seen: Seen, now: datetime) -> Step:
    """The next step of the way out: status, actions, and in how many seconds to look again."""
    assert status.ending
    if (step := _primary_back(spec, status, seen, now)) is not None:
        return step
    if (step := _traffic_away(spec, status, seen, now)) is not None:
        return step
    if status.ending.outcome is Outcome.SUPERSEDED and _may_follow(spec, status, seen, now):
        begun = begin(status, seen, now)
        told = Emit(f"New revision detected! Restarting analysis for {seen.who}", milestone=True, alert=Severity.INFO)
        begun = replace(begun, routed_away=status.routed_away, quiet_since=_quiet(status, seen, now))
        begun = replace(begun, replicas=status.replicas)  # its autoscaler has not followed yet
        return begun, (told,), 0
    if (step := _objects_away(spec, status, seen, now)) is not None:
        return step
    return _last_word(status, seen, now)


def _may_follow(spec: Spec, status: Status, seen: Seen, now: datetime) -> bool:
    primary = seen.primary
    if primary is None or primary.stash is None or is_rejected(status, seen) or spec.hooks(Kind.CONFIRM_ROLLOUT):
        return False
    if primary.previous is not None:  # nothing else is promoted before the promotion that somebody cut across is done
        return False
    return not not_yet(status, seen, now)


def _primary_back(spec: Spec, status: Status, seen: Seen, now: datetime) -> Step | None:
    """A primary that did not come up gets its old template back, while the canary still serves its share."""
    primary = seen.primary
    if primary is None or primary.deleting or status.phase is not Phase.PROMOTING:
        return None
    if primary.digest == status.revision and primary.previous:
        return status, (Ask("back", status.revision),), AGAIN
    left = seconds_left(status.step_time, spec.progress_deadline, now)
    return (status, (), left) if status.weight and not primary.ready and left > 0 else None


def _traffic_away(spec: Spec, status: Status, seen: Seen, now: datetime) -> Step | None:
    if status.position.begun:
        if (step := returning(spec, status, seen, now)) is not None:
            return step
        succeeded = status.ending is not None and status.ending.outcome is Outcome.SUCCEEDED
        told = (Emit(f"Routing all traffic to primary {seen.who}"),) if status.weight and succeeded else ()
        away = replace(status.at(START), routed_away=None, problem="")
        return away, (*told, Route(0, status.revision), *rescue(status, seen)), 0
    if seen.weight:
        return replace(status, routed_away=None), (Route(0, status.revision),), AGAIN
    if seen.deaf:  # none of the seconds until the routers hear again belongs to the drain
        return replace(status, routed_away=None), (), seen.deaf
    if status.routed_away is None:
        return replace(status, routed_away=now), (), spec.propagation + spec.drain
    left = seconds_left(status.routed_away, spec.propagation + spec.drain, now)
    return (status, (), left) if left > 0 else None


def _objects_away(spec: Spec, status: Status, seen: Seen, now: datetime) -> Step | None:
    if seen.weight is not None:
        return status, (Unroute(),), AGAIN
    if seen.deaf:
        return replace(status, unrouted=None), (), seen.deaf
    if status.unrouted is None:
        return replace(status, unrouted=now), (), spec.propagation
    if (left := seconds_left(status.unrouted, spec.propagation, now)) > 0:
        return status, (), left
    if seen.leftovers:
        gone = _quiet(status, seen, now)
        if gone and (status.quiet_since is None or status.quiet_since < gone):  # not at each look: it would only write
            status = replace(status, quiet_since=gone + LEEWAY)
        return status, (RemoveCanary(),), AGAIN
    return None


def _quiet(status: Status, seen: Seen, now: datetime) -> datetime | None:
    """When the pods of this canary will be gone for certain."""
    return now + timedelta(seconds=seen.canary.grace) if seen.canary else status.quiet_since


def _last_word(status: Status, seen: Seen, now: datetime) -> Step:
    assert status.ending
    primary, outcome = seen.primary, status.ending.outcome
    if outcome is Outcome.SUCCEEDED and (primary is None or primary.digest != status.revision):
        ending = Ending(Outcome.CANCELLED, "the primary was changed directly before the promotion was over")
        return replace(status, ending=ending), (), 0
    if outcome is Outcome.SUCCEEDED:
        if primary and primary.previous:
            return status, (Ask("done", status.revision),), AGAIN
        told = Emit(f"Promotion completed! Scaling down {seen.who}", milestone=True, alert=Severity.INFO)
        return status.end(now), (told,), 0
    if outcome in (Outcome.POSTPONED, Outcome.SUPERSEDED):
        return status.rest(), (), 0
    alert = Severity.ERROR if outcome is Outcome.FAILED else Severity.WARN  # the others are somebody's wish
    news = f"Canary failed! Scaling down {seen.who} {status.ending.message}"
    told = Emit(news, warning=True, milestone=True, alert=alert)
    remembered = outcome in (Outcome.FAILED, Outcome.ABORTED)
    waits = primary is not None and primary.stash == status.revision
    if remembered and waits and (labels := labelled(seen, stash.STATE_REJECTED)):
        return status, labels, AGAIN
    return status.end(now), (told,), 0
