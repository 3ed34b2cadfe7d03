"""The moves that several phases share: forwards to the promotion, nowhere for now, and out."""

from dataclasses import replace
from datetime import datetime

from analyzer.actions import AGAIN, Action, Ask, Emit, Plan
from analyzer.seen import Seen
from analyzer.spec import Spec
from analyzer.status import Ending, Outcome, Phase, Status, seconds_left

MOMENT = 2.5  # seconds
CHECKS = 2.5  # intervals: one check without an answer is no end, however short the progress deadline is
PAUSED = "the Deployment is paused: the promotion goes on when it is resumed"


def promote(status: Status, seen: Seen, now: datetime, *before: Action) -> Plan:
    """Ask for the swap, unless the Deployment is paused. `before` is done first.

    While routers are deaf its pods stay: requests would be sent to those that have gone.
    """
    if seen.primary and seen.primary.paused:
        return Plan(replace(status, problem=PAUSED), wake=AGAIN)
    if seen.deaf and seen.primary and seen.primary.ready:
        return Plan(status, wake=seen.deaf)
    if cut := cut_across(seen):
        return Plan(status, cut, wake=AGAIN)
    told = Emit(f"Copying {seen.name}-canary.{seen.namespace} template spec to {seen.who}", milestone=True)
    status = replace(status, phase=Phase.PROMOTING, step_time=now, ready_since=None, problem="")
    return Plan(status, (*before, told, Ask("go", status.revision)), wake=AGAIN)


def cut_across(seen: Seen) -> tuple[Action, ...]:
    """What has to come before the swap is asked for: an earlier promotion is done with, across which somebody changed
    the primary. The webhook keeps one template to go back to, and no second.
    """
    primary = seen.primary
    return (Ask("done", primary.digest),) if primary and primary.previous is not None else ()


def halt(spec: Spec, status: Status, problem: str, now: datetime, *actions: Action) -> Plan:
    """Neither forwards nor back, until the progress deadline (Canary.spec.progressDeadlineSeconds) is over.

    Between two checks of an analysis nothing is decided for an interval: that is none of the deadline.
    """
    patience = max(spec.progress_deadline, CHECKS * spec.interval) if status.position.begun else spec.progress_deadline
    left = seconds_left(status.step_time, patience, now)
    if left <= 0:
        why = f"{problem or 'what the canary needs does not come about'}: exceeded its progress deadline"
        return end(status, Ending(Outcome.FAILED, why), now)
    return Plan(replace(status, problem=problem), actions, wake=min(left, spec.interval))


def look_again(planned: Plan, status: Status, now: datetime) -> Plan:
    """What no watch tells is looked at after a moment, and again when it has been waited for twice as long."""
    waited = -seconds_left(status.step_time, 0, now)
    again = max(MOMENT, waited)
    return replace(planned, wake=again if planned.wake is None else min(again, planned.wake))


def end(status: Status, ending: Ending, now: datetime, *told: Action) -> Plan:
    """On the way out, which begins at once."""
    return Plan(replace(status, ending=ending, step_time=now, problem=""), told, wake=0)
