"""A canary on its way: made, measured and given more weight step by step, until it is promoted or has failed."""

from dataclasses import replace
from datetime import datetime

from analyzer.actions import AGAIN, Action, Emit, Plan, Rehearse, Route, RunCanary, Severity
from analyzer.autoscaling import fits, needed
from analyzer.beginning import asked, hear, patience_left
from analyzer.checking import following, news, tick, unready_for
from analyzer.joining import size_for
from analyzer.moves import cut_across, end, halt, look_again, promote
from analyzer.resting import labelled
from analyzer.seen import UNCLEAR, Canary, Seen
from analyzer.spec import DIRECT, Spec
from analyzer.status import Ending, Outcome, Status, seconds_left
from analyzer.strategy import Position, Strategy
from analyzer.wishes import Verb
from analyzer.workload import replicas_for
from webhook import stash

OBSTRUCTED_AGAIN = 120.0  # seconds at most until an obstacle is looked at again which no watch says to be gone
UNROUTED_FOR = 5.0  # seconds without a route until what needs none is let through


def progressing(spec: Spec, status: Status, seen: Seen, now: datetime) -> Plan:
    """What is missing for the next step, or the step. The primary is there, and nothing interrupts."""
    status = replace(status, terms=spec.terms)
    if not (status.gate or status.waits) and (wish := asked(status, seen, status.revision, Verb.APPROVE)):
        status = hear(status, wish)  # it was for a gate that is passed, and counts for no other
    return (
        _let_through(spec, status, seen, now) or _obstructed(spec, status, seen, now) or _run(spec, status, seen, now)
    )


def _let_through(spec: Spec, status: Status, seen: Seen, now: datetime) -> Plan | None:
    """What is promoted without an analysis, or without the rest of it."""
    assert seen.primary
    if wish := asked(status, seen, status.revision, Verb.PROMOTE):
        text = f"Promoting {seen.who} at once, {wish.whose}"
        told = Emit(text, warning=True, milestone=True, alert=Severity.WARN)
        return promote(hear(status, wish), seen, now, told)
    if status.waived:
        return promote(status, seen, now)
    if patience_left(seen.primary, now) <= 0:
        text = f"Promoting at once, {seen.who} is down"
        return promote(status, seen, now, Emit(text, warning=True, milestone=True, alert=Severity.WARN))
    direct = spec.without_routes == DIRECT and spec.strategy.needs_routes
    if direct and seen.unrouted and seen.canary is None and not (status.weight or seen.refused):
        return _unrouted(status, seen, now)
    return None


def _unrouted(status: Status, seen: Seen, now: datetime) -> Plan:
    """A Service that is replaced is away for a moment, and a watch may be behind: that is not to be without routes."""
    if seen.primary and seen.primary.paused:
        return promote(status, seen, now)
    if status.problem != seen.obstacle or status.step_time is None:
        status = replace(status, problem=seen.obstacle, step_time=now)
    if (left := seconds_left(status.step_time, UNROUTED_FOR, now)) > 0:
        return Plan(status, wake=left)
    why = f"directly, since {seen.obstacle}"
    told = Emit(f"Promoting {seen.who} {why}", warning=True, milestone=True)
    return promote(replace(status, waived=why), seen, now, told)


def _obstructed(spec: Spec, status: Status, seen: Seen, now: datetime) -> Plan | None:
    """What is in the way of any canary. Before one runs, it may wait for as long as it takes."""
    problem = seen.refused or seen.obstacle
    if not problem:
        return None
    told = Emit(f"Halt {seen.who} advancement {problem}", warning=True, milestone=True)
    news = [told] if status.problem != problem else []
    if seen.canary is None and not (status.weight or seen.refused):
        waited = -seconds_left(status.started, 0, now)
        wake = min(max(spec.interval, waited), max(spec.interval, OBSTRUCTED_AGAIN))
        return Plan(replace(status, problem=problem, step_time=None), tuple(news), wake)
    # Whoever comes to own the host or path must not get our canary's answers; nor may anybody get none.
    astray = seen.unroutable or seen.canary is None
    away = [Route(0, status.revision)] if astray and seen.weight and not seen.refused else []
    return halt(spec, status, problem, now, *news, *away)


def _run(spec: Spec, status: Status, seen: Seen, now: datetime) -> Plan:
    """The canary as it should be, then its routes, then a check."""
    assert seen.primary
    canary = seen.canary
    if (canary is None or canary.digest != status.revision) and seen.rehearsal is None:
        return Plan(status, cut_across(seen) or (Rehearse(),), wake=AGAIN)
    if seen.rehearsal:
        return end(status, Ending(Outcome.FAILED, f"the promotion would be refused: {seen.rehearsal}"), now)
    status = replace(status, step_time=status.step_time or now)
    actions: list[Action] = []
    size = _size(spec.strategy, needed(status, seen.primary), following(spec, status, seen))
    restarted = seen.primary.restarted not in ("", canary.restarted if canary else "")
    if canary is None or canary.digest != status.revision or not fits(spec, canary, size) or restarted:
        actions.append(RunCanary(size))
    if _misrouted(status, seen):
        actions.append(Route(status.weight, status.revision, status.iterations))
        unasked = UNCLEAR < (seen.weight or 0) < status.weight
        status = replace(status, check_time=None if unasked else status.check_time)
        status = replace(status, routed_away=None if seen.weight else status.routed_away)
    actions += labelled(seen, stash.STATE_ANALYSING)
    if actions or canary is None:
        return halt(spec, status, status.problem, now, *actions)
    if not canary.ready and not status.position.begun:
        return _await(spec, replace(status, ready_since=None), seen, canary, now)
    if not status.position.begun:
        if seen.deaf:  # they may not know of its pods
            return Plan(replace(status, ready_since=None), wake=seen.deaf)
        status = replace(status, ready_since=status.ready_since or now)
        if (left := seconds_left(status.ready_since, spec.propagation, now)) > 0:
            return Plan(status, wake=left)
    elif status.check_time is None:
        status = replace(status, check_time=now)  # what is judged next is what comes from now on
    return tick(spec, replace(status, problem="") if status.check_time is None else status, seen, canary, now)


def _size(strategy: Strategy, primary_replicas: int, at: Position) -> int:
    if strategy.by_replicas and at.weight:
        return size_for(primary_replicas, at.weight)
    return replicas_for(primary_replicas, strategy.load(at))


def _misrouted(status: Status, seen: Seen) -> bool:
    """Whether the routes have to be put right. A canary that is not ready never gets more than it has.

    Where there are none, and none are needed, everything is there once its Service is.
    """
    if seen.routed and (seen.weight == status.weight or (seen.weight is None and not status.weight)):
        return False
    more = seen.weight is None or seen.weight < status.weight
    return not more or not status.weight or (seen.canary is not None and seen.canary.ready)


def _await(spec: Spec, status: Status, seen: Seen, canary: Canary, now: datetime) -> Plan:
    """A canary that is not ready yet. No watch follows its pods: they are looked at soon, then more and more rarely."""
    planned = halt(spec, status, unready_for(seen, canary), now, *news(status, seen, canary))
    return look_again(planned, status, now)
