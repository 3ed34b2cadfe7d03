"""Gates that a rollout waits at: until they consent, a person does (`detour approve`), or their deadline is over.

Flagger's confirm-rollout, confirm-traffic-increase and confirm-promotion. That one cannot be called is no consent
either, and is waited for as well; Flagger has no deadlines, and no person's word in place of a gate's.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from analyzer.actions import ANSWERED_AGAIN, Emit, Measure, Plan, Severity
from analyzer.beginning import asked, begin
from analyzer.hooks import Gate, Kind
from analyzer.metrics.verdict import Check, Result
from analyzer.moves import end
from analyzer.seen import Seen
from analyzer.spec import Spec
from analyzer.status import Ending, Outcome, Phase, Status, seconds_left
from analyzer.strategy import Position, Strategy
from analyzer.wishes import Verb
from webhook.revision import short

CALLED_BACK = "manual webhook invoked"  # Flagger's words for a webhook of type rollback that says yes


def asked_before(strategy: Strategy, at: Position, *, routed: bool) -> Kind | None:
    """Which gates have to consent to what follows a position: with Blue/Green to that all requests are shifted."""
    if strategy.is_blue_green:
        return Kind.CONFIRM_PROMOTION if not at.weight and at.iteration == strategy.iterations else None
    if strategy.is_last(at, routed=routed):
        return Kind.CONFIRM_PROMOTION
    rising = strategy.shifts(at, routed=routed) and not strategy.iterations
    return Kind.CONFIRM_TRAFFIC_INCREASE if rising else None


def holding(checks: Iterable[Check]) -> tuple[Check, ...]:
    """The gates that have not consented."""
    return tuple(check for check in checks if check.kind and check.kind.confirms and check.result is not Result.PASSED)


def passed(checks: Iterable[Check], *kinds: Kind) -> tuple[Emit, ...]:
    """Flagger's events of gates of these kinds that are behind."""
    of_kind = (check for check in checks if check.kind in kinds and check.result is Result.PASSED)
    return tuple(Emit(check.text[0].upper() + check.text[1:]) for check in of_kind)


def called_back(checks: Iterable[Check]) -> str:
    """Which webhook wants the rollout undone, in Flagger's words; "" if none does."""
    names = [check.name for check in checks if check.kind is Kind.ROLLBACK and check.failed]
    return f"{CALLED_BACK}: {', '.join(names)}" if names else ""


def wait(spec: Spec, status: Status, seen: Seen, waiting: tuple[Check, ...], now: datetime) -> Plan:
    """Stand at a gate. While it is waited for no other deadline runs, since nothing else is missing."""
    name = f"{waiting[0].kind} {', '.join(check.name for check in waiting)}"
    news = []
    if name not in (status.gate, status.waits):
        status = replace(status, gate_since=now)
        news = [_told(spec, check, seen) for check in waiting]
    if status.phase is Phase.PROGRESSING and waiting[0].kind is Kind.CONFIRM_PROMOTION:
        status = replace(status, phase=Phase.WAITING_PROMOTION)
    status = replace(status, gate=name, check_time=now, step_time=now, problem=waiting[0].text)
    gate, left = _soonest(spec, status, waiting, now)
    if gate and left <= 0:
        reason = f"{gate.kind} {gate.name} did not consent before its deadline"
        back = Emit(f"Rolling back {seen.who} {reason}", warning=True, milestone=True)
        return end(status, Ending(Outcome.FAILED, reason), now, *news, back)
    return Plan(status, tuple(news), wake=min(left, spec.interval))


def before_it_begins(spec: Spec, status: Status, seen: Seen, now: datetime) -> Plan | None:
    """What is still to be consented to before the revision that waits begins; None if nothing is.

    Nobody is asked about what needs no analysis, nor about the fix of a primary that is down.
    """
    primary = seen.primary
    assert primary
    assert primary.stash
    waived = primary.at_once or seen.direct or not primary.ready or asked(status, seen, primary.stash, Verb.PROMOTE)
    consented = status.gate and status.waits == primary.stash and asked(status, seen, primary.stash, Verb.APPROVE)
    if waived or consented or not spec.hooks(Kind.CONFIRM_ROLLOUT):
        return None
    if status.phase is not Phase.WAITING or status.waits != primary.stash:
        fresh = replace(status, phase=Phase.WAITING, waits=primary.stash, check_time=None, gate="", gate_since=None)
        return Plan(replace(fresh, queued=None, problem=f"asking for consent to {short(primary.stash)}"), wake=0)
    if status.queued:
        return None  # they have consented before: only its turn was missing
    if seen.checks is None:
        due = seconds_left(status.check_time, spec.interval, now) if status.check_time else 0.0
        if due > 0:
            return Plan(status, wake=due)
        asking = Measure((Kind.CONFIRM_ROLLOUT, Kind.ROLLBACK), traffic=False)
        return Plan(status, (asking,), wake=min(spec.interval, ANSWERED_AGAIN))
    if reason := called_back(seen.checks):
        return _refused(status, seen, reason, now)
    if not (waiting := holding(seen.checks)):
        return None
    planned = wait(spec, status, seen, waiting, now)
    if planned.status.ending is not status.ending:
        assert planned.status.ending
        return _refused(status, seen, planned.status.ending.message, now)
    return planned


def _refused(status: Status, seen: Seen, reason: str, now: datetime) -> Plan:
    """It is remembered like one that failed its analysis."""
    told = Emit(f"Rolling back {seen.who} {reason}", warning=True, milestone=True)
    return Plan(replace(begin(status, seen, now), ending=Ending(Outcome.FAILED, reason)), (told,), wake=0)


def _told(spec: Spec, check: Check, seen: Seen) -> Emit:
    muted = any(gate.mute for gate in spec.gates if (gate.name, gate.kind) == (check.name, check.kind))
    alert = None if muted else Severity.WARN
    return Emit(f"Halt {seen.who} advancement {check.text}", warning=True, milestone=True, alert=alert)


def _soonest(spec: Spec, status: Status, waiting: Iterable[Check], now: datetime) -> tuple[Gate | None, float]:
    """Whose deadline is over first, and in how many seconds."""
    names = {(check.name, check.kind) for check in waiting}
    bounded = [gate for gate in spec.gates if (gate.name, gate.kind) in names and gate.deadline is not None]
    if not bounded:
        return None, spec.interval
    gate = min(bounded, key=lambda gate: gate.deadline or 0.0)
    return gate, seconds_left(status.gate_since, gate.deadline or 0.0, now)
