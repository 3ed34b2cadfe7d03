"""A canary on its way: made, measured and given more weight step by step, until it is promoted or has failed."""

from dataclasses import replace
from datetime import datetime

from analyzer.actions import AGAIN, Action, Emit, Measure, Plan, Rehearse, Route, RunCanary
from analyzer.beginning import asked, hear, patience_left
from analyzer.metrics.verdict import Check, Result
from analyzer.moves import end, halt, look_again, promote
from analyzer.resting import labelled
from analyzer.seen import UNCLEAR, Canary, Seen
from analyzer.spec import DIRECT, Spec
from analyzer.status import Ending, Outcome, Status, seconds_left
from analyzer.wishes import Verb
from analyzer.workload import replicas_for
from webhook import stash

OBSTRUCTED_AGAIN = 120.0  # seconds at most until an obstacle is looked at again which no watch says to be gone
CHECKS = 2.5  # intervals: one check without an answer is no end, however short the progress deadline is
UNROUTED_FOR = 5.0  # seconds without a route until what needs none is let through


def progressing(spec: Spec, status: Status, seen: Seen, now: datetime) -> Plan:
    """What is missing for the next step, or the step. The primary is there, and nothing interrupts."""
    status = replace(status, terms=spec.terms)
    return (
        _let_through(spec, status, seen, now) or _obstructed(spec, status, seen, now) or _run(spec, status, seen, now)
    )


def _let_through(spec: Spec, status: Status, seen: Seen, now: datetime) -> Plan | None:
    """What is promoted without an analysis, or without the rest of it."""
    assert seen.primary
    if wish := asked(status, seen, status.revision, Verb.PROMOTE):
        told = Emit(f"Promoting {seen.who} at once, {wish.whose}", warning=True, milestone=True)
        return promote(hear(status, wish), seen, now, told)
    if status.waived:
        return promote(status, seen, now)
    if patience_left(seen.primary, now) <= 0:
        return promote(status, seen, now, Emit(f"Promoting at once, {seen.who} is down", warning=True, milestone=True))
    if seen.unrouted and seen.canary is None and not (status.weight or seen.refused) and spec.without_routes == DIRECT:
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
        return Plan(status, (Rehearse(),), wake=AGAIN)
    if seen.rehearsal:
        return end(status, Ending(Outcome.FAILED, f"the promotion would be refused: {seen.rehearsal}"), now)
    status = replace(status, step_time=status.step_time or now)
    actions: list[Action] = []
    size = replicas_for(seen.primary.replicas, spec.strategy.load(spec.strategy.after(status.position)))
    restarted = seen.primary.restarted not in ("", canary.restarted if canary else "")
    if canary is None or (canary.digest, canary.replicas) != (status.revision, size) or restarted:
        actions.append(RunCanary(size))
    if _misrouted(status, seen):
        actions.append(Route(status.weight, status.revision))
        unasked = UNCLEAR < (seen.weight or 0) < status.weight
        status = replace(status, check_time=None if unasked else status.check_time)
        status = replace(status, routed_away=None if seen.weight else status.routed_away)
    actions += labelled(seen, stash.STATE_ANALYSING)
    if actions or canary is None:
        return halt(spec, status, status.problem, now, *actions)
    if not canary.ready and not status.weight:
        return _await(spec, replace(status, ready_since=None), seen, canary, now)
    if not status.weight:
        if seen.deaf:  # they may not know of its pods
            return Plan(replace(status, ready_since=None), wake=seen.deaf)
        status = replace(status, ready_since=status.ready_since or now)
        if (left := seconds_left(status.ready_since, spec.propagation, now)) > 0:
            return Plan(status, wake=left)
    elif status.check_time is None:
        status = replace(status, check_time=now)  # what is judged next is what comes from now on
    return _tick(spec, replace(status, problem="") if status.check_time is None else status, seen, canary, now)


def _misrouted(status: Status, seen: Seen) -> bool:
    """Whether the routes have to be put right. A canary that is not ready never gets more than it has."""
    if seen.weight == status.weight and seen.routed:
        return False
    more = seen.weight is None or seen.weight < status.weight
    return not more or not status.weight or (seen.canary is not None and seen.canary.ready)


def _await(spec: Spec, status: Status, seen: Seen, canary: Canary, now: datetime) -> Plan:
    """A canary that is not ready yet. No watch follows its pods: they are looked at soon, then more and more rarely."""
    planned = halt(spec, status, _unready(seen, canary), now, *_news(status, seen, canary))
    return look_again(planned, status, now)


def _news(status: Status, seen: Seen, canary: Canary) -> tuple[Emit, ...]:
    """Why it is not ready, if that is known since now."""
    unready = _unready(seen, canary)
    told = Emit(f"Halt {seen.who} advancement {unready}", warning=True, milestone=True)
    return (told,) if canary.reason and status.problem != unready else ()


def _unready(seen: Seen, canary: Canary) -> str:
    where = f"canary deployment {seen.name}-canary.{seen.namespace}"
    return f"{where} not ready: {canary.reason or canary.progress}"


def _tick(spec: Spec, status: Status, seen: Seen, canary: Canary, now: datetime) -> Plan:
    """A step, when one is due. A canary that nobody can reach any more needs no metric to fail a check.

    One that crashed fails it at once: by the time that the next is due it may be back, until it crashes again.
    """
    if spec.skip_analysis and canary.ready:
        return promote(status, seen, now)
    if not (status.weight or spec.gates or spec.metrics):
        return _advance(spec, status, seen, now)
    counted = status.problem == _unready(seen, canary) and status.check_time == status.step_time
    crashed = canary.crashed and not counted
    if not crashed and status.check_time and (left := _interval_left(spec, status, now)) > 0:
        if canary.available:
            return Plan(status, wake=left)
        return Plan(replace(status, problem=_unready(seen, canary)), _news(status, seen, canary), wake=left)
    checks = seen.checks
    if crashed or not canary.available:
        checks = (Check("availability", Result.FAILED, _unready(seen, canary)),)
    if checks is None:
        return _measured(spec, status, now)
    status = replace(status, verdict=tuple(check.text for check in checks))
    return _judge(spec, status, seen, checks, "" if canary.ready else _unready(seen, canary), now)


def _measured(spec: Spec, status: Status, now: datetime) -> Plan:
    """Ask for the check that is due. That an answer comes is not certain, either."""
    waited = -seconds_left(status.step_time, 0, now)
    if status.check_time:
        waited = min(waited, -seconds_left(status.check_time, spec.interval + spec.longest_window, now))
    if waited > spec.progress_deadline:
        return end(status, Ending(Outcome.FAILED, "no check is answered: exceeded its progress deadline"), now)
    return Plan(status, (Measure(traffic=status.weight > 0),), wake=AGAIN)


def _interval_left(spec: Spec, status: Status, now: datetime) -> float:
    """Seconds until the next check, at which no query sees a pod of the revision before: its faults are not this one's.

    A pod that ends fails its probes to the last, and many an application counts these like any other request.
    """
    clouded = seconds_left(status.quiet_since, spec.longest_window, now) if status.quiet_since else 0.0
    return max(seconds_left(status.check_time, spec.interval, now), clouded)


def _judge(spec: Spec, status: Status, seen: Seen, checks: tuple[Check, ...], unready: str, now: datetime) -> Plan:
    status = replace(status, check_time=now)
    failed = [check for check in checks if check.failed]
    unknown = [check.text for check in checks if check.unknown]
    if failed:
        halts = tuple(Emit(f"Halt {seen.who} advancement {check.text}", warning=True) for check in failed)
        status = replace(status, failed_checks=status.failed_checks + 1, step_time=now, problem=failed[0].text)
        if status.failed_checks < spec.threshold:
            return Plan(status, halts, wake=spec.interval)
        reason = f"failed checks threshold reached {status.failed_checks}"
        back = Emit(f"Rolling back {seen.who} {reason}", warning=True, milestone=True)
        return end(status, Ending(Outcome.FAILED, f"{reason}: {failed[0].text}"), now, *halts, back)
    if unknown:
        told = Emit(f"Halt {seen.who} advancement {unknown[0]}", warning=True, milestone=True)
        patient = replace(spec, progress_deadline=max(spec.progress_deadline, CHECKS * spec.interval))
        return halt(patient, status, unknown[0], now, *([told] if status.problem != unknown[0] else ()))
    if unready:
        return halt(spec, status, unready, now)
    if spec.strategy.is_last(status.position):
        return promote(status, seen, now)
    return _advance(spec, status, seen, now)


def _advance(spec: Spec, status: Status, seen: Seen, now: datetime) -> Plan:
    start = () if status.weight else (Emit(f"Starting canary analysis for {seen.who}"),)
    weight = spec.strategy.after(status.position).weight
    status = replace(status, weight=weight, step_time=now, check_time=now, routed_away=None, problem="")
    told = Emit(f"Advance {seen.who} canary weight {weight}")
    return Plan(status, (*start, told, Route(weight, status.revision)), wake=spec.interval)
