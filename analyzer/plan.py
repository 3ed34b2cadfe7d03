"""The state machine: what is remembered and what is seen now give what to remember next, and what to do.

`plan` is total and deterministic and does nothing itself. It is called again after every change and every action,
so each call answers only with what is missing. Phases and event texts are Flagger's.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from analyzer.actions import Action, Ask, Emit, Guard, Label, Measure, Rehearse, Route, RunCanary
from analyzer.exits import leave
from analyzer.metrics.verdict import Check
from analyzer.seen import Primary, Seen
from analyzer.spec import Spec
from analyzer.status import Ending, Outcome, Phase, Status
from analyzer.workload import replicas_for

GUARD_AGAIN = 2.0  # seconds between tries to be certain that updates are diverted


@dataclass(frozen=True, slots=True)
class Plan:
    """`status` is stored before any of `actions` is done; `wake` is in how many seconds to look again anyway."""

    status: Status
    actions: tuple[Action, ...] = ()
    wake: float | None = None


def plan(spec: Spec, status: Status, seen: Seen, now: datetime) -> Plan:
    """The next status and the actions that are missing. Never raises for any combination of its arguments."""
    if spec.suspend:
        return Plan(status)
    if not status.phase.in_flight:
        return _at_rest(status, seen, now)
    if status.ending is None and (ending := _interruption(status, seen)):
        return _end(status, ending, now)
    if status.ending is not None:
        return Plan(*leave(spec, status, seen, now))
    if status.phase is Phase.PROMOTING:
        return _promoting(spec, status, seen, now)
    return _progressing(spec, status, seen, now)


def _at_rest(status: Status, seen: Seen, now: datetime) -> Plan:
    primary = seen.primary
    if seen.weight is not None or seen.leftovers:
        sweeping = replace(status, phase=Phase.PROGRESSING, ending=Ending(Outcome.POSTPONED, "cleaning up"))
        return Plan(replace(sweeping, routed_away=None, unrouted=None), wake=0)
    if seen.guarded is None and not (status.guarded and seen.labelled):
        return Plan(status, (Guard(),))
    status = _guarded(status, seen)
    done = (Emit(f"Initialization done! {seen.who}"),) if status.guarded and status.phase is Phase.INITIALIZING else ()
    if done:
        status = replace(status, phase=Phase.INITIALIZED)
    if primary is None or primary.stash is None:
        return Plan(status, done, wake=None if status.guarded or not seen.target else GUARD_AGAIN)
    if primary.stash in status.rejected and seen.retry in ("", status.observed_retry):
        return Plan(status, (*done, *_labelled(primary, "rejected")))
    if waits := _waits(primary):
        return Plan(replace(status, problem=waits), done)
    begun = status.begin(primary.stash, primary.digest, primary.subject, now)
    begun = replace(begun, observed_retry=seen.retry, rejected=_without(status.rejected, primary.stash))
    return Plan(begun, (*done, Emit(f"New revision detected! Scaling up {seen.who}", milestone=True)), wake=0)


def _guarded(status: Status, seen: Seen) -> Status:
    guarded = seen.labelled and status.guarded if seen.guarded is None else seen.guarded
    phase = Phase.INITIALIZING if status.phase is Phase.NEW else status.phase
    return replace(status, guarded=guarded, phase=phase, problem="" if guarded else seen.obstacle)


def _waits(primary: Primary) -> str:
    if primary.deleting:
        return "the Deployment is being deleted"
    if primary.replicas == 0:
        return "no replicas are wanted: the analysis starts when there are some"
    if primary.paused:
        return "the Deployment is paused: the analysis starts when it is resumed"
    if not primary.ready:
        return f"waiting for the primary: {primary.progress}"
    return ""


def _interruption(status: Status, seen: Seen) -> Ending | None:
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
    if primary.replicas == 0:
        return Ending(Outcome.POSTPONED, "no replicas are wanted any more")
    return None


def _progressing(spec: Spec, status: Status, seen: Seen, now: datetime) -> Plan:
    assert seen.primary
    canary = seen.canary
    if seen.obstacle:
        return _halt(spec, status, seen.obstacle, now)
    if (canary is None or canary.digest != status.revision) and seen.rehearsal is None:
        return Plan(status, (Rehearse(),))
    if seen.rehearsal:
        return _end(status, Ending(Outcome.FAILED, f"the promotion would be refused: {seen.rehearsal}"), now)
    actions: list[Action] = []
    size = replicas_for(seen.primary.replicas, spec.next_weight(status.weight))
    if canary is None or (canary.digest, canary.replicas) != (status.revision, size):
        actions.append(RunCanary(size))
    if seen.weight != status.weight or not seen.routed:
        actions.append(Route(status.weight, status.revision))
    actions += _labelled(seen.primary, "analysing")
    if actions or canary is None:
        return _halt(spec, status, status.problem, now, *actions)
    if not canary.ready:
        return _halt(
            spec, status, f"canary deployment {seen.name}-canary.{seen.namespace} not ready: {canary.progress}", now
        )
    return _tick(spec, replace(status, problem="") if status.check_time is None else status, seen, now)


def _tick(spec: Spec, status: Status, seen: Seen, now: datetime) -> Plan:
    if spec.skip_analysis:
        return _promote(status, seen, now)
    if status.check_time is None:
        start = Emit(f"Starting canary analysis for {seen.who}")
        return _advance(spec, status, seen, now, start)
    if (left := max(_until(status.check_time, spec.interval, now), _clouded(spec, status, now))) > 0:
        return Plan(status, wake=left)
    if seen.checks is None:
        return Plan(status, (Measure(),))
    return _judge(spec, replace(status, verdict=tuple(check.text for check in seen.checks)), seen, seen.checks, now)


def _clouded(spec: Spec, status: Status, now: datetime) -> float:
    """For how many seconds a query would still see the revision before: its faults are not this one's.

    Its last answers come when routers have followed and requests in flight are over.
    """
    last = spec.propagation + spec.drain
    return _until(status.quiet_since, last + spec.longest_window, now) if status.quiet_since else 0.0


def _judge(spec: Spec, status: Status, seen: Seen, checks: tuple[Check, ...], now: datetime) -> Plan:
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
        told = () if status.problem == unknown[0] else (Emit(f"Halt {seen.who} advancement {unknown[0]}", warning=True),)
        return _halt(spec, status, unknown[0], now, *told)
    if status.weight >= spec.max_weight:
        return _promote(status, seen, now)
    return _advance(spec, status, seen, now)


def _advance(spec: Spec, status: Status, seen: Seen, now: datetime, *before: Action) -> Plan:
    weight = spec.next_weight(status.weight)
    status = replace(status, weight=weight, step_time=now, check_time=now, routed_away=None, problem="")
    told = Emit(f"Advance {seen.who} canary weight {weight}")
    return Plan(status, (*before, told, Route(weight, status.revision)), wake=spec.interval)


def _promote(status: Status, seen: Seen, now: datetime) -> Plan:
    told = Emit(f"Copying {seen.name}-canary.{seen.namespace} template spec to {seen.who}", milestone=True)
    status = replace(status, phase=Phase.PROMOTING, step_time=now, problem="")
    return Plan(status, (told, Ask("go", status.revision)))


def _promoting(spec: Spec, status: Status, seen: Seen, now: datetime) -> Plan:
    assert seen.primary
    if seen.primary.digest != status.revision:
        return _halt(spec, status, seen.obstacle, now, *(() if seen.obstacle else (Ask("go", status.revision),)))
    if seen.primary.ready:
        status = replace(status, phase=Phase.FINALISING)
        told = Emit(f"Routing all traffic to primary {seen.who}")
        return _end(status, Ending(Outcome.SUCCEEDED, "every check passed"), now, told)
    left = _until(status.step_time, spec.progress_deadline, now)
    if left > 0 and not seen.primary.stuck:
        return Plan(status, wake=left)
    reason = f"Promotion of {seen.who} failed, primary not ready: {seen.primary.progress}"
    return _end(status, Ending(Outcome.FAILED, reason), now, Emit(reason, warning=True, milestone=True))


def _halt(spec: Spec, status: Status, problem: str, now: datetime, *actions: Action) -> Plan:
    """Neither forwards nor back, until the progress deadline (Canary.spec.progressDeadlineSeconds) is over."""
    left = _until(status.step_time, spec.progress_deadline, now)
    if left <= 0:
        why = f"{problem or 'what the canary needs does not come about'}: exceeded its progress deadline"
        return _end(status, Ending(Outcome.FAILED, why), now)
    return Plan(replace(status, problem=problem), actions, wake=min(left, spec.interval))


def _end(status: Status, ending: Ending, now: datetime, *told: Action) -> Plan:
    return Plan(replace(status, ending=ending, step_time=now, problem=""), told, wake=0)


def _labelled(primary: Primary, state: str) -> tuple[Action, ...]:
    return () if primary.state == state else (Label(state),)


def _until(since: datetime | None, seconds: float, now: datetime) -> float:
    return seconds if since is None else seconds - (now - since).total_seconds()


def _without(digests: tuple[str, ...], digest: str) -> tuple[str, ...]:
    return tuple(known for known in digests if known != digest)
