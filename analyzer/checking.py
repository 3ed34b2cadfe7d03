"""A check of a canary: asked for when it is due, judged, and what follows from it: a step, a halt, or the end."""

from dataclasses import replace
from datetime import datetime

from analyzer.actions import ANSWERED_AGAIN, Action, Emit, Measure, Plan, Route
from analyzer.beginning import asked, hear
from analyzer.consent import asked_before, called_back, holding, passed, wait
from analyzer.hooks import Kind
from analyzer.metrics.verdict import Check, Result
from analyzer.moves import end, halt, promote
from analyzer.seen import Canary, Seen
from analyzer.spec import Spec
from analyzer.status import Ending, Outcome, Phase, Status, seconds_left
from analyzer.strategy import Position
from analyzer.wishes import Verb


def tick(spec: Spec, status: Status, seen: Seen, canary: Canary, now: datetime) -> Plan:
    """A step, when one is due. A canary that nobody can reach any more needs no metric to fail a check.

    One that crashed fails it at once: by the time that the next is due it may be back, until it crashes again.
    """
    if spec.skip_analysis and canary.ready:
        return promote(status, seen, now)
    if status.gate and canary.ready and (wish := asked(status, seen, status.revision, Verb.APPROVE)):
        told = Emit(f"Consent to {status.gate} given {wish.whose}", milestone=True)
        return _go_on(spec, hear(status, wish), seen, now, told)
    if not (status.position.begun or spec.gates or spec.metrics):
        return _advance(spec, status, seen, now)
    counted = status.problem == unready_for(seen, canary) and status.check_time == status.step_time
    crashed = canary.crashed and not counted
    if not crashed and status.check_time and (left := _interval_left(spec, status, now)) > 0:
        if canary.available:
            return Plan(status, wake=left)
        return Plan(replace(status, problem=unready_for(seen, canary)), news(status, seen, canary), wake=left)
    checks = seen.checks
    if crashed or not canary.available:
        checks = (Check("availability", Result.FAILED, unready_for(seen, canary)),)
    if checks is None:
        return _measured(spec, status, seen, now)
    status = replace(status, verdict=tuple(check.text for check in checks))
    return _judge(spec, status, seen, checks, "" if canary.ready else unready_for(seen, canary), now)


def _measured(spec: Spec, status: Status, seen: Seen, now: datetime) -> Plan:
    """Ask for the check that is due. That an answer comes is not certain, either.

    What is passed before the first weight is not run again at each look of who is asked for consent (Flagger #1248).
    """
    begun = status.position.begun
    checks = Kind.ROLLOUT if begun else Kind.PRE_ROLLOUT
    kinds = (Kind.ROLLBACK,) if status.gate and not begun else (checks, Kind.ROLLBACK)
    then = asked_before(spec.strategy, status.position, routed=not seen.unrouted)
    waited = -seconds_left(status.step_time, 0, now)
    if status.check_time:
        waited = min(waited, -seconds_left(status.check_time, spec.interval + spec.longest_window, now))
    hooks = spec.hooks(*kinds, *([then] if then else []))
    if waited > spec.progress_deadline + sum(gate.longest for gate in hooks):
        return end(status, Ending(Outcome.FAILED, "no check is answered: exceeded its progress deadline"), now)
    return Plan(status, (Measure(kinds, traffic=begun, then=then),), wake=min(spec.interval, ANSWERED_AGAIN))


def _interval_left(spec: Spec, status: Status, now: datetime) -> float:
    """Seconds until the next check, at which no query sees a pod of the revision before: its faults are not this one's.

    A pod that ends fails its probes to the last, and many an application counts these like any other request.
    """
    clouded = seconds_left(status.quiet_since, spec.longest_window, now) if status.quiet_since else 0.0
    return max(seconds_left(status.check_time, spec.interval, now), clouded)


def _judge(spec: Spec, status: Status, seen: Seen, checks: tuple[Check, ...], unready: str, now: datetime) -> Plan:
    waiting = holding(checks)
    known = "" if any(check.failed for check in checks) else status.gate or status.waits
    status = replace(status, check_time=now, phase=Phase.PROGRESSING, gate="", waits=known)
    if reason := called_back(checks):
        back = Emit(f"Rolling back {seen.who} {reason}", warning=True, milestone=True)
        return end(status, Ending(Outcome.FAILED, reason), now, back)
    failed = [check for check in checks if check.failed]
    unknown = [check.text for check in checks if check.unknown and check not in waiting]
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
        return halt(spec, status, unknown[0], now, *([told] if status.problem != unknown[0] else ()))
    if unready:
        return halt(spec, status, unready, now)
    behind = passed(checks, Kind.PRE_ROLLOUT)
    if waiting:
        planned = wait(spec, status, seen, waiting, now)
        return replace(planned, actions=(*behind, *planned.actions))
    behind += passed(checks, Kind.CONFIRM_TRAFFIC_INCREASE, Kind.CONFIRM_PROMOTION)
    return _go_on(spec, status, seen, now, *behind)


def _go_on(spec: Spec, status: Status, seen: Seen, now: datetime, *told: Emit) -> Plan:
    """Everything is passed, and consented to."""
    status = replace(status, phase=Phase.PROGRESSING, gate="", waits="", gate_since=None)
    if spec.strategy.is_last(status.position, routed=not seen.unrouted):
        return promote(status, seen, now, *told)
    planned = _advance(spec, status, seen, now)
    return replace(planned, actions=(*told, *planned.actions))


def _advance(spec: Spec, status: Status, seen: Seen, now: datetime) -> Plan:
    """The next position. What brings load is called as the first begins, so that its check has something to judge."""
    before, after = status.position, following(spec, status, seen)
    told: list[Action] = [_step(spec, before, after, seen)]
    if not before.begun:
        told.insert(0, Emit(f"Starting canary analysis for {seen.who}"))
    status = replace(status.at(after), step_time=now, check_time=now, routed_away=None, problem="")
    if after.weight != before.weight or spec.strategy.traffic(after) != spec.strategy.traffic(before):
        told.append(Route(after.weight, status.revision, after.iteration))
    if not before.begun and spec.hooks(Kind.ROLLOUT):
        told.append(Measure((Kind.ROLLOUT,), traffic=False))
    return Plan(status, tuple(told), wake=spec.interval)


def following(spec: Spec, status: Status, seen: Seen) -> Position:
    """The position that the analysis goes to next."""
    return spec.strategy.after(status.position, routed=not seen.unrouted)


def _step(spec: Spec, before: Position, after: Position, seen: Seen) -> Emit:
    """In Flagger's words."""
    if not spec.strategy.iterations and after.iteration > before.iteration:
        return Emit(f"Mirroring {spec.strategy.mirror} percent of the requests for {seen.who} to its canary")
    if not spec.strategy.iterations:
        return Emit(f"Advance {seen.who} canary weight {after.weight}")
    if after.iteration == before.iteration:
        return Emit(f"Routing all traffic to canary {seen.who}")
    return Emit(f"Advance {seen.who} canary iteration {after.iteration}/{spec.strategy.iterations}")


def news(status: Status, seen: Seen, canary: Canary) -> tuple[Emit, ...]:
    """Why it is not ready, if that is known since now."""
    unready = unready_for(seen, canary)
    told = Emit(f"Halt {seen.who} advancement {unready}", warning=True, milestone=True)
    return (told,) if canary.reason and status.problem != unready else ()


def unready_for(seen: Seen, canary: Canary) -> str:
    """Why a canary is not ready, in Flagger's words."""
    where = f"canary deployment {seen.name}-canary.{seen.namespace}"
    return f"{where} not ready: {canary.reason or canary.progress}"
