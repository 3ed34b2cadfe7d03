"""The state machine: what is remembered and what is seen now give what to remember next, and what to do.

`plan` is total and deterministic and does nothing itself. It is called again after every change and every action,
so each call answers only with what is missing. Phases and event texts are Flagger's.
"""

from dataclasses import replace
from datetime import datetime

from analyzer.actions import AGAIN, REFUSED_AGAIN, Action, Ask, Emit, Measure, Plan, Rehearse, Route, RunCanary
from analyzer.beginning import asked, hear, patience_left
from analyzer.exits import leave
from analyzer.freezes import frozen
from analyzer.metrics.verdict import Check, Result
from analyzer.resting import at_rest, labelled, sooner
from analyzer.seen import Canary, Seen
from analyzer.spec import DIRECT, Spec
from analyzer.status import Ending, Outcome, Phase, Status, seconds_left
from analyzer.wishes import Verb
from analyzer.workload import replicas_for
from webhook import stash

SUSPENDED = "it is suspended by spec.suspend of its Canary: set that to false to go on"
PAUSED = "the Deployment is paused: the promotion goes on when it is resumed"


def plan(spec: Spec, status: Status, seen: Seen, now: datetime) -> Plan:
    """The next status and the actions that are missing. Never raises for any combination of its arguments."""
    status = status.at_most(now)
    freeze = frozen(spec.freezes, now)
    held = SUSPENDED if spec.suspend else seen.held or (freeze.text if freeze else "")
    planned = _plan(spec, status, replace(seen, held=held), now)
    if freeze and planned.status.phase is Phase.WAITING:
        return replace(planned, wake=min(freeze.left, planned.wake or freeze.left))
    return planned


def _plan(spec: Spec, status: Status, seen: Seen, now: datetime) -> Plan:
    if not status.phase.in_flight:
        return at_rest(status, seen, now)
    if status.ending is None and (wish := asked(status, seen, status.revision, Verb.ABORT)):
        told = Emit(f"Rolling back {seen.who} aborted {wish.whose}", warning=True, milestone=True)
        return _end(hear(status, wish), Ending(Outcome.ABORTED, f"aborted {wish.whose}"), now, told)
    if status.ending is None and (ending := _interruption(spec, status, seen)):
        return _end(status, ending, now)
    if status.ending is not None:
        return _leaving(spec, status, seen, now)
    if spec.suspend:
        told = Emit(f"Halt {seen.who} advancement {SUSPENDED}", warning=True, milestone=True)
        return Plan(replace(status, problem=SUSPENDED), (told,) if status.problem != SUSPENDED else ())
    if status.problem in (SUSPENDED, PAUSED) and not (seen.primary and seen.primary.paused):
        status = replace(status, problem="", step_time=now)  # the clock stood still
    if status.phase is Phase.PROMOTING:
        return _promoting(spec, status, seen, now)
    return sooner(_progressing(spec, status, seen, now), seen.primary, now)


def _leaving(spec: Spec, status: Status, seen: Seen, now: datetime) -> Plan:
    """The way out has no other way than out: what is refused is tried again, later."""
    after, actions, wake = leave(spec, status, seen, now)
    if seen.refused and not all(isinstance(action, Emit) for action in actions):
        return Plan(replace(status, problem=seen.refused), wake=REFUSED_AGAIN)
    return Plan(after, actions, wake)


def _interruption(spec: Spec, status: Status, seen: Seen) -> Ending | None:
    """What ends a revision from outside: its user, a newer one, or a primary that is no longer the same."""
    primary, revision = seen.primary, status.revision
    if primary is None or primary.deleting:
        return Ending(Outcome.CANCELLED, "the Deployment was deleted")
    if status.phase is Phase.PROMOTING and primary.digest == revision:
        return None
    if primary.stash is None and primary.digest == status.base:
        return Ending(Outcome.CANCELLED, "taken back: the Deployment was set to the primary's version again")
    if primary.stash is None:
        return Ending(Outcome.CANCELLED, "the primary was changed directly, nothing waits any more")
    if primary.stash != revision:
        return Ending(Outcome.SUPERSEDED, "a newer revision came")
    if primary.digest != status.base:
        return Ending(Outcome.ABORTED, "the primary was changed under the canary: what was proven proves nothing now")
    if seen.unusable:
        return Ending(Outcome.POSTPONED, seen.unusable)
    if primary.replicas == 0 and not status.waived:
        return Ending(Outcome.POSTPONED, "no replicas are wanted any more")
    if status.phase is Phase.PROGRESSING and status.terms not in ("", spec.terms):
        return Ending(Outcome.SUPERSEDED, "the Canary's analysis was changed")
    return None


def _progressing(spec: Spec, status: Status, seen: Seen, now: datetime) -> Plan:
    assert seen.primary
    canary, status = seen.canary, replace(status, terms=spec.terms)
    if wish := asked(status, seen, status.revision, Verb.PROMOTE):
        told = Emit(f"Promoting {seen.who} at once, {wish.whose}", warning=True, milestone=True)
        return _promote(hear(status, wish), seen, now, told)
    if status.waived:
        return _promote(status, seen, now)
    if patience_left(seen.primary, now) <= 0:
        return _promote(status, seen, now, Emit(f"Promoting at once, {seen.who} is down", warning=True, milestone=True))
    if seen.unrouted and canary is None and spec.without_routes == DIRECT and not seen.refused:
        why = f"directly, since {seen.obstacle}"
        return _promote(replace(status, waived=why), seen, now, Emit(f"Promoting {seen.who} {why}", True, True))
    if problem := seen.refused or seen.obstacle:
        told = Emit(f"Halt {seen.who} advancement {problem}", warning=True, milestone=True)
        news = [told] if status.problem != problem else []
        if canary is None and not seen.refused:  # nothing runs yet, so it may wait for as long as it takes
            return Plan(replace(status, problem=problem, step_time=None), tuple(news), wake=spec.interval)
        # Whoever comes to own the host or path must not get our canary's answers.
        away = [Route(0, status.revision)] if seen.unroutable and seen.weight else []
        return _halt(spec, status, problem, now, *news, *away)
    status = replace(status, step_time=status.step_time or now)
    if (canary is None or canary.digest != status.revision) and seen.rehearsal is None:
        return Plan(status, (Rehearse(),), wake=AGAIN)
    if seen.rehearsal:
        return _end(status, Ending(Outcome.FAILED, f"the promotion would be refused: {seen.rehearsal}"), now)
    actions: list[Action] = []
    size = replicas_for(seen.primary.replicas, spec.next_weight(status.weight))
    wanted = status.revision, size, seen.primary.restarted
    if canary is None or (canary.digest, canary.replicas, canary.restarted) != wanted:
        actions.append(RunCanary(size))
    if _misrouted(status, seen):
        actions.append(Route(status.weight, status.revision))
        status = replace(status, routed_away=None if seen.weight else status.routed_away)
    actions += labelled(seen, stash.STATE_ANALYSING)
    if actions or canary is None:
        return _halt(spec, status, status.problem, now, *actions)
    if not canary.ready and not status.weight:
        return _halt(spec, replace(status, ready_since=None), _unready(seen, canary), now)
    if not status.weight:
        status = replace(status, ready_since=status.ready_since or now)
        if (left := seconds_left(status.ready_since, spec.propagation, now)) > 0:
            return Plan(status, wake=left)
    return _tick(spec, replace(status, problem="") if status.check_time is None else status, seen, canary, now)


def _misrouted(status: Status, seen: Seen) -> bool:
    """Whether the routes have to be put right. A canary that is not ready never gets more than it has."""
    if seen.weight == status.weight and seen.routed:
        return False
    more = seen.weight is None or seen.weight < status.weight
    return not more or not status.weight or (seen.canary is not None and seen.canary.ready)


def _unready(seen: Seen, canary: Canary) -> str:
    return f"canary deployment {seen.name}-canary.{seen.namespace} not ready: {canary.progress}"


def _tick(spec: Spec, status: Status, seen: Seen, canary: Canary, now: datetime) -> Plan:
    """A step, when one is due. A canary that nobody can reach any more needs no metric to fail a check."""
    if spec.skip_analysis and canary.ready:
        return _promote(status, seen, now)
    if not (status.weight or spec.gates or spec.metrics):
        return _advance(spec, status, seen, now)
    if status.check_time and (left := _interval_left(spec, status, now)) > 0:
        return Plan(status, wake=left)
    checks = seen.checks
    if not canary.available:
        checks = (Check("availability", Result.FAILED, _unready(seen, canary)),)
    if checks is None:
        return Plan(status, (Measure(traffic=status.weight > 0),), wake=AGAIN)
    status = replace(status, verdict=tuple(check.text for check in checks))
    return _judge(spec, status, seen, checks, "" if canary.ready else _unready(seen, canary), now)


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
        return _end(status, Ending(Outcome.FAILED, f"{reason}: {failed[0].text}"), now, *halts, back)
    if unknown:
        halt = Emit(f"Halt {seen.who} advancement {unknown[0]}", warning=True, milestone=True)
        return _halt(spec, status, unknown[0], now, *([halt] if status.problem != unknown[0] else ()))
    if unready:
        return _halt(spec, status, unready, now)
    if spec.is_last(status.weight):
        return _promote(status, seen, now)
    return _advance(spec, status, seen, now)


def _advance(spec: Spec, status: Status, seen: Seen, now: datetime) -> Plan:
    start = () if status.weight else (Emit(f"Starting canary analysis for {seen.who}"),)
    weight = spec.next_weight(status.weight)
    status = replace(status, weight=weight, step_time=now, check_time=now, routed_away=None, problem="")
    told = Emit(f"Advance {seen.who} canary weight {weight}")
    return Plan(status, (*start, told, Route(weight, status.revision)), wake=spec.interval)


def _promote(status: Status, seen: Seen, now: datetime, *before: Action) -> Plan:
    if seen.primary and seen.primary.paused:
        return Plan(replace(status, problem=PAUSED), wake=AGAIN)
    told = Emit(f"Copying {seen.name}-canary.{seen.namespace} template spec to {seen.who}", milestone=True)
    status = replace(status, phase=Phase.PROMOTING, step_time=now, ready_since=None, problem="")
    return Plan(status, (*before, told, Ask("go", status.revision)), wake=AGAIN)


def _promoting(spec: Spec, status: Status, seen: Seen, now: datetime) -> Plan:
    assert seen.primary
    if seen.primary.digest != status.revision:
        analysed = spec.is_last(status.weight) or spec.skip_analysis or status.waived
        if not analysed and patience_left(seen.primary, now) > 0:
            return Plan(replace(status, phase=Phase.PROGRESSING), wake=0)  # it serves again: nothing goes unproven
        asking = () if seen.refused else (Ask("go", status.revision),)
        return _halt(spec, status, seen.refused or status.problem, now, *asking)
    if seen.primary.ready:
        status = replace(status, ready_since=status.ready_since or now)
        if (left := seconds_left(status.ready_since, spec.propagation, now)) > 0:
            return Plan(status, wake=left)  # routers may still know the last of the old pods
        status = replace(status, phase=Phase.FINALISING)
        told = Emit(f"Routing all traffic to primary {seen.who}")
        return _end(status, Ending(Outcome.SUCCEEDED, _why(status)), now, told)
    if seen.primary.paused:
        return Plan(replace(status, ready_since=None, problem=PAUSED))
    left = seconds_left(status.step_time, spec.progress_deadline, now)
    if left > 0 and not seen.primary.stuck:
        return Plan(replace(status, ready_since=None), wake=left)
    reason = f"Promotion of {seen.who} failed, primary not ready: {seen.primary.progress}"
    return _end(status, Ending(Outcome.FAILED, reason), now, Emit(reason, warning=True, milestone=True))


def _why(status: Status) -> str:
    if status.waived:
        return f"promoted {status.waived}"
    return "every check passed" if status.weight else "promoted without an analysis"


def _halt(spec: Spec, status: Status, problem: str, now: datetime, *actions: Action) -> Plan:
    """Neither forwards nor back, until the progress deadline (Canary.spec.progressDeadlineSeconds) is over."""
    left = seconds_left(status.step_time, spec.progress_deadline, now)
    if left <= 0:
        why = f"{problem or 'what the canary needs does not come about'}: exceeded its progress deadline"
        return _end(status, Ending(Outcome.FAILED, why), now)
    return Plan(replace(status, problem=problem), actions, wake=min(left, spec.interval))


def _end(status: Status, ending: Ending, now: datetime, *told: Action) -> Plan:
    return Plan(replace(status, ending=ending, step_time=now, problem=""), told, wake=0)
