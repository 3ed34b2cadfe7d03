"""Promises that it goes on: nothing is tried for ever, and nothing waits for nothing."""

from typing import TYPE_CHECKING

from analyzer.actions import Emit, Guard, Measure, Plan, Rehearse
from analyzer.status import Phase, Status
from tests.analyzer.invariants.moment import Moment, promise

if TYPE_CHECKING:
    from tests.analyzer.world import World

MOST_REPEATS = 4


@promise
def no_action_is_repeated_for_ever(moment: Moment) -> bool:
    """An action that changes nothing is not tried again and again, however long it lasts, while all stays the same."""
    before, after = moment.before, moment.after
    if isinstance(moment.write, Status | Emit | Measure | Rehearse | Guard):
        return True
    world = (after.route, after.canary, after.service, after.live, after.stash, after.previous, after.state)
    changed = world != (
        before.route, before.canary, before.service, before.live, before.stash, before.previous, before.state,
    )  # fmt: skip
    key = moment.write, world
    after.repeats[key] = 0 if changed else after.repeats.get(key, 0) + 1
    return after.repeats[key] <= MOST_REPEATS


def waits_for_nothing(world: "World", result: Plan) -> list[str]:
    """nothing_waits_without_a_wake: whatever is on its way is looked at again, unless somebody holds it up who can be
    seen to let it go on; and what waits says what for."""
    status, acted = result.status, any(not isinstance(action, Emit) for action in result.actions)
    halted = world.spec.suspend or world.paused
    unattended = result.wake is None and (acted or (status.phase.in_flight and not halted))
    silent = status.phase is Phase.WAITING and not status.problem
    return ["nothing_waits_without_a_wake: " + str(result)] if unattended or silent else []
