"""Nothing is in flight: what makes certain that the next update is diverted, and what lets it begin."""

from dataclasses import replace
from datetime import datetime

from analyzer.actions import AGAIN, REFUSED_AGAIN, Action, Ask, Emit, Guard, Label, Plan, Serve, Severity
from analyzer.beginning import asked, begin, is_rejected, not_yet, patience_left
from analyzer.consent import before_it_begins, passed
from analyzer.hooks import Kind
from analyzer.seen import Primary, Seen
from analyzer.spec import Spec
from analyzer.status import Ending, Outcome, Phase, Status
from analyzer.wishes import Verb
from webhook import stash

REJECTED_BEFORE = "it failed its analysis before; kubectl detour retry runs it once more"
GUARD_AGAIN = 2.0  # seconds between tries to be certain that updates are diverted


def at_rest(spec: Spec, status: Status, seen: Seen, now: datetime) -> Plan:
    """Nothing is in flight: be certain that updates are diverted, and let what waits begin."""
    if seen.weight is not None or seen.leftovers:
        sweeping = replace(status, phase=Phase.PROGRESSING, ending=Ending(Outcome.POSTPONED, "cleaning up"))
        return Plan(replace(sweeping, routed_away=None, unrouted=None), wake=0)
    if seen.unusable:
        waits = seen.primary is not None and seen.primary.stash is not None
        halt = Emit(f"Halt {seen.who}: {seen.unusable}", warning=True, milestone=waits)
        halted = replace(status, phase=Phase.WAITING) if waits else _waits_no_more(status)
        news = status.problem != seen.unusable or (waits and status.phase is not Phase.WAITING)
        return Plan(replace(halted, problem=seen.unusable), (halt,) if news else ())
    if seen.target and not (seen.served or seen.refused):
        return Plan(status, (Serve(),), AGAIN)
    if seen.guarded is None and not seen.refused and not (status.guarded and seen.labelled):
        return Plan(status, (Guard(),))
    known, status = status.problem, _guarded(status, seen)
    done: tuple[Action, ...] = ()
    if seen.obstacle and status.problem not in ("", known):
        done = (Emit(f"Halt {seen.who}: {status.problem}", warning=True),)
    if status.guarded and status.phase is Phase.INITIALIZING:
        status = replace(status, phase=Phase.INITIALIZED)
        done = (Emit(f"Initialization done! {seen.who}", alert=Severity.INFO),)
    after = _what_waits(spec, status, seen, now)
    unguarded = GUARD_AGAIN if seen.target and not status.guarded else None
    return Plan(after.status, (*done, *after.actions), unguarded if after.wake is None else after.wake)


def _what_waits(spec: Spec, status: Status, seen: Seen, now: datetime) -> Plan:
    primary = seen.primary
    if primary is not None and primary.previous is not None:
        return _promotion_of_nobody(status, seen, primary)
    if primary is None or primary.stash is None:
        return Plan(_waits_no_more(status))
    if is_rejected(status, seen):
        rejected = _rejected_before(status, primary.stash)
        told = Emit(f"Not running {seen.who} again: {REJECTED_BEFORE}", warning=True, milestone=True)
        return Plan(rejected, (*([told] if rejected != status else ()), *labelled(seen, stash.STATE_REJECTED)))
    if wish := asked(status, seen, primary.stash, Verb.ABORT):
        begun = begin(status, seen, now)
        return Plan(replace(begun, ending=Ending(Outcome.ABORTED, f"aborted {wish.whose}")), wake=0)
    if waits := not_yet(status, seen, now):
        return sooner(_waiting(status, seen, waits, now), primary, now)
    if not_yet_consented := before_it_begins(spec, status, seen, now):
        return sooner(not_yet_consented, primary, now)
    begun = begin(status, seen, now)
    if begun.waived:
        told = Emit(
            f"New revision detected! Promoting {seen.who} at once, {begun.waived}", milestone=True, alert=Severity.INFO
        )
    elif primary.ready:
        told = Emit(f"New revision detected! Scaling up {seen.who}", milestone=True, alert=Severity.INFO)
    else:
        begun = replace(begun, phase=Phase.PROMOTING)
        news = f"New revision detected! Promoting it at once, {seen.who} is down"
        told = Emit(news, warning=True, milestone=True, alert=Severity.WARN)
    return Plan(begun, (*passed(seen.checks or (), Kind.CONFIRM_ROLLOUT), told), wake=0)


def _waiting(status: Status, seen: Seen, why: str, now: datetime) -> Plan:
    """It keeps its time in the queue, whatever else it waits for meanwhile; that it is in it is told once."""
    after = replace(status, phase=Phase.WAITING, problem=why)
    if why != seen.queued or status.queued:
        return Plan(after)
    told = Emit(f"New revision of {seen.who} waits: {why}", milestone=True)
    return Plan(replace(after, queued=now), (told,))


def _waits_no_more(status: Status) -> Status:
    return status.rest() if status.phase is Phase.WAITING else status


def _rejected_before(status: Status, digest: str) -> Status:
    """What failed once and waits again is failed again, whatever came between."""
    if status.phase is Phase.FAILED and status.revision == digest:
        return status
    ending = Ending(Outcome.FAILED, REJECTED_BEFORE)
    return replace(status, phase=Phase.FAILED, revision=digest, ending=ending, queued=None, problem="")


def _guarded(status: Status, seen: Seen) -> Status:
    guarded = seen.labelled and status.guarded if seen.guarded is None else seen.guarded
    phase = Phase.INITIALIZING if status.phase is Phase.NEW else status.phase
    unreadable = seen.primary is not None and seen.primary.stash is None
    waiting = status.problem if phase is Phase.WAITING else ""
    problem = seen.obstacle if unreadable or not guarded else waiting
    return replace(status, guarded=guarded, phase=phase, problem=problem)


def _promotion_of_nobody(status: Status, seen: Seen, primary: Primary) -> Plan:
    """The Canary was made anew in mid-promotion: nothing else may be promoted until that one is done."""
    if not primary.ready:
        return Plan(replace(status, problem=f"waiting for the primary: {primary.progress}"))
    if seen.refused:
        return Plan(status, wake=REFUSED_AGAIN)
    return Plan(status, (Ask("done", primary.digest),), wake=AGAIN)


def sooner(planned: Plan, primary: Primary | None, now: datetime) -> Plan:
    """Look again when patience with a primary that is down will be at its end, too."""
    left = patience_left(primary, now) if primary and primary.down_since else 0.0
    return planned if left <= 0 else replace(planned, wake=left if planned.wake is None else min(planned.wake, left))


def labelled(seen: Seen, state: str) -> tuple[Action, ...]:
    """The state on the Deployment, unless it is there, or cannot be."""
    return () if seen.refused or not seen.primary or seen.primary.state == state else (Label(state),)
