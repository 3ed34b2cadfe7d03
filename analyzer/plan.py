"""The state machine: what is remembered and what is seen now give what to remember next, and what to do.

`plan` is total and deterministic and does nothing itself. It is called again after every change and every action,
so each call answers only with what is missing. Phases and event texts are Flagger's.
"""

from dataclasses import replace
from datetime import datetime

from analyzer.actions import AGAIN, REFUSED_AGAIN, Action, Ask, Emit, Measure, Plan, Route
from analyzer.autoscaling import noted
from analyzer.beginning import asked, hear, patience_left
from analyzer.consent import called_back
from analyzer.exits import leave
from analyzer.freezes import frozen
from analyzer.hooks import Kind
from analyzer.moves import PAUSED, cut_across, end, halt, look_again
from analyzer.progressing import progressing
from analyzer.resting import at_rest, sooner
from analyzer.seen import Seen
from analyzer.spec import Spec
from analyzer.status import Ending, Outcome, Phase, Status, seconds_left
from analyzer.wishes import Verb
from analyzer.wording import steady

SUSPENDED = "it is suspended by spec.suspend of its Canary: set that to false to go on"


def plan(spec: Spec, status: Status, seen: Seen, now: datetime) -> Plan:
    """The next status and the actions that are missing. Never raises for any combination of its arguments."""
    known = noted(status.at_most(now), seen)
    status = known.attended(seen.since)
    freeze = frozen(spec.freezes, now)
    held = SUSPENDED if spec.suspend else seen.held or (freeze.text if freeze else "")
    planned = _answered(_plan(spec, status, replace(_steadied(status, seen), held=held), now), seen)
    if planned.status == status:
        planned = replace(planned, status=known)  # each new process attends anew: that alone is no news to store
    if freeze and planned.status.phase is Phase.WAITING:
        return replace(planned, wake=freeze.left if planned.wake is None else min(freeze.left, planned.wake))
    return planned


def _steadied(status: Status, seen: Seen) -> Seen:
    """What the API server refuses again is the same problem, in whatever words: nothing is stored anew for it."""
    if seen.refused:
        return replace(seen, refused=steady(status.problem, seen.refused))
    tried = seen.guarded is not None or seen.rehearsal is not None
    return replace(seen, obstacle=steady(status.problem, seen.obstacle)) if tried and seen.obstacle else seen


def _answered(planned: Plan, seen: Seen) -> Plan:
    """A canary without a pod that could answer gets no requests, whatever else is going on.

    Routers send the share of pods that are not ready to the primary, but that of pods that do not exist nowhere.
    """
    deserted = seen.canary is None or not seen.canary.available
    if not (planned.status.phase.in_flight and deserted and seen.weight) or seen.refused:
        return planned
    others = (action for action in planned.actions if not isinstance(action, Route))
    away = Route(0, planned.status.revision)
    return replace(planned, actions=(away, *others), wake=AGAIN if planned.wake is None else min(AGAIN, planned.wake))


def _plan(spec: Spec, status: Status, seen: Seen, now: datetime) -> Plan:
    if not status.phase.in_flight:
        return at_rest(spec, status, seen, now)
    if status.ending is None and (wish := asked(status, seen, status.revision, Verb.ABORT)):
        told = Emit(f"Rolling back {seen.who} aborted {wish.whose}", warning=True, milestone=True)
        return end(hear(status, wish), Ending(Outcome.ABORTED, f"aborted {wish.whose}"), now, told)
    if status.ending is None and (ending := _interruption(spec, status, seen)):
        return end(status, ending, now)
    if status.ending is not None:
        return _leaving(spec, status, seen, now)
    if spec.suspend:
        told = Emit(f"Halt {seen.who} advancement {SUSPENDED}", warning=True, milestone=True)
        return Plan(replace(status, problem=SUSPENDED), (told,) if status.problem != SUSPENDED else ())
    resumed = status.problem == PAUSED and not (seen.primary and seen.primary.paused)
    if resumed or status.problem == SUSPENDED:
        status = replace(status, problem="", step_time=now)  # the clock stood still
    if status.phase is Phase.PROMOTING:
        return _promoting(spec, status, seen, now)
    return sooner(progressing(spec, status, seen, now), seen.primary, now)


def _leaving(spec: Spec, status: Status, seen: Seen, now: datetime) -> Plan:
    """The way out has no other way than out: what is refused is tried again, later."""
    after, actions, wake = leave(spec, status, seen, now)
    if seen.refused and not all(isinstance(action, Emit) for action in actions):
        return Plan(replace(status, problem=status.problem or seen.refused), wake=REFUSED_AGAIN)
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
    if primary.replicas == 0 and not (status.waived or (primary.autoscaled and status.weight)):
        return Ending(Outcome.POSTPONED, "no replicas are wanted any more")
    if status.phase.analysing and status.terms not in ("", spec.terms):
        return Ending(Outcome.SUPERSEDED, "the Canary's analysis was changed")
    return None


def _promoting(spec: Spec, status: Status, seen: Seen, now: datetime) -> Plan:
    assert seen.primary
    if seen.primary.digest != status.revision:
        analysed = _is_proven(spec, status, seen) or spec.skip_analysis or status.waived
        if not analysed and patience_left(seen.primary, now) > 0:
            return Plan(replace(status, phase=Phase.PROGRESSING), wake=0)  # it serves again: nothing goes unproven
        asking = () if seen.refused else cut_across(seen) or (Ask("go", status.revision),)
        planned = halt(spec, status, seen.refused or status.problem, now, *asking)
        return replace(planned, wake=min(planned.wake or 0.0, REFUSED_AGAIN))
    if seen.primary.ready:
        status = replace(status, ready_since=status.ready_since or now, problem="")
        if (left := seconds_left(status.ready_since, spec.propagation, now)) > 0:
            return Plan(status, wake=left)  # routers may still know the last of the old pods
        status = replace(status, phase=Phase.FINALISING)
        return end(status, Ending(Outcome.SUCCEEDED, _why(spec, status, seen)), now)
    if seen.primary.paused:
        return Plan(replace(status, ready_since=None, problem=PAUSED))
    if seen.checks and (reason := called_back(seen.checks)):
        back = Emit(f"Rolling back {seen.who} {reason}", warning=True, milestone=True)
        return end(status, Ending(Outcome.FAILED, reason), now, back)
    left = seconds_left(status.step_time, spec.progress_deadline, now)
    if left > 0 and not seen.primary.stuck:
        return _await_primary(spec, status, seen, left, now)
    reason = f"Promotion of {seen.who} failed, primary not ready: {seen.primary.reason or seen.primary.progress}"
    return end(status, Ending(Outcome.FAILED, reason), now, Emit(reason, warning=True, milestone=True))


def _await_primary(spec: Spec, status: Status, seen: Seen, left: float, now: datetime) -> Plan:
    """It rolls. Once it is known what keeps it from being ready, that is told."""
    assert seen.primary
    reason = seen.primary.reason
    problem = f"primary not ready: {reason}" if reason else ""
    told = Emit(f"Halt {seen.who} promotion {problem}", warning=True, milestone=True)
    news: tuple[Action, ...] = (told,) if problem and status.problem != problem else ()
    status = replace(status, ready_since=None, problem=problem)
    if seen.checks is not None:
        status = replace(status, check_time=now)
    elif spec.hooks(Kind.ROLLBACK) and seconds_left(status.check_time, spec.interval, now) <= 0:
        news += (Measure((Kind.ROLLBACK,), traffic=False),)
    return look_again(Plan(status, news, wake=min(left, spec.interval)), status, now)


def _is_proven(spec: Spec, status: Status, seen: Seen) -> bool:
    return spec.strategy.is_last(status.position, routed=not seen.unrouted)


def _why(spec: Spec, status: Status, seen: Seen) -> str:
    if status.waived:
        return f"promoted {status.waived}"
    if spec.skip_analysis:
        return "promoted without an analysis"
    return "every check passed" if _is_proven(spec, status, seen) else "promoted at once, the primary was down"
