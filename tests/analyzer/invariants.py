"""What Detour promises at every moment, as a page of promises: each is looked at after every single write.

A promise is a function of a moment: its name is the promise's, its docstring the sentence, and it answers whether it
is kept. What cannot be broken within the model (two objects of one name, say) is not on the page.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from analyzer.actions import (
    Action,
    Ask,
    Emit,
    Guard,
    Measure,
    Plan,
    Rehearse,
    RemoveCanary,
    Route,
    RunCanary,
    Unroute,
)
from analyzer.status import HISTORY_KEPT, Outcome, Phase, Status, timestamp
from analyzer.wishes import Verb
from analyzer.workload import replicas_for

if TYPE_CHECKING:
    from tests.analyzer.world import World


@dataclass(frozen=True, slots=True)
class Serving:
    """A write of the model alone: the canary's Service is made, which `Route` does before it."""


@dataclass(frozen=True, slots=True)
class Unserve:
    """A write of the model alone: the canary's Service is deleted, which `RemoveCanary` does first."""


Write = Action | Status | Serving | Unserve

MOST_REPEATS = 4
PATIENCE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Moment:
    """The world just before a write and just after it."""

    before: "World"
    write: Write
    after: "World"

    @property
    def status(self) -> Status | None:
        """The status that is stored now, if that is what was written."""
        return self.write if isinstance(self.write, Status) else None

    @property
    def more_traffic(self) -> bool:
        """Whether the canary has a greater share than before."""
        return (self.after.route or 0) > max(self.before.route or 0, 0)

    @property
    def ended(self) -> bool:
        """Whether what was on its way has ended with this."""
        return bool(self.status and self.before.status.phase.in_flight and self.status.phase in _ENDED)


Promise = Callable[[Moment], bool]
PROMISES: list[Promise] = []
_ENDED = (Phase.SUCCEEDED, Phase.FAILED)


def promise(kept: Promise) -> Promise:
    """On the page."""
    PROMISES.append(kept)
    return kept


def breaches_of(moment: Moment) -> list[str]:
    """The promises that are broken at a moment, and by what."""
    return [f"{each.__name__}: {_short(moment.write)}" for each in PROMISES if not each(moment)]


# The canary


@promise
def a_canary_is_replaced_only_without_traffic_and_drained(moment: Moment) -> bool:
    """There is one canary at a time: another revision takes its place only at weight 0, after the drain."""
    before, after = moment.before.canary, moment.after.canary
    if not (before and after) or before[0] == after[0]:
        return True
    return not moment.before.route and _drained(moment)


@promise
def a_canary_is_what_waits_and_was_stored_before(moment: Moment) -> bool:
    """A canary is made only of the template that waits, once the status says that this revision is on its way."""
    if not isinstance(moment.write, RunCanary):
        return True
    status, canary = moment.before.status, moment.after.canary
    return bool(canary and status.phase is Phase.PROGRESSING and not status.ending and canary[0] == status.revision)


@promise
def a_canary_goes_last(moment: Moment) -> bool:
    """Routes go before pods: the canary and its Service go only without a route, after the drain."""
    if not isinstance(moment.write, RemoveCanary | Unserve):
        return True
    return moment.before.route is None and _drained(moment)


@promise
def a_canary_has_the_size_of_its_share(moment: Moment) -> bool:
    """Before a share of the traffic is decided on, the replicas for it are there and ready."""
    if not (moment.status and moment.status.weight > moment.before.status.weight):
        return True
    canary, world = moment.before.canary, moment.before
    return bool(canary and canary[1] >= replicas_for(world.replicas, moment.status.weight) and world.canary_ready())


# Its traffic


@promise
def traffic_is_for_a_canary_that_is_ready(moment: Moment) -> bool:
    """A share is raised only if the canary is ready, and is the revision that is on its way."""
    if not moment.more_traffic:
        return True
    canary = moment.after.canary
    return bool(canary and canary[0] == moment.after.status.revision and moment.after.canary_ready())


@promise
def a_route_follows_the_status(moment: Moment) -> bool:
    """The weight is stored before a route gets it; a route is never given any other, but for 0."""
    return not isinstance(moment.write, Route) or moment.write.weight in (0, moment.before.status.weight)


@promise
def a_route_goes_only_without_traffic(moment: Moment) -> bool:
    """A route is taken away only when it sends the canary nothing, and has done so for the drain."""
    return not isinstance(moment.write, Unroute) or (not moment.before.route and _drained(moment))


@promise
def the_weight_rises_by_one_step(moment: Moment) -> bool:
    """The weight goes to the next step of the analysis, or to 0; from a weight above 0 it rises only after a check."""
    status, before = moment.status, moment.before.status
    if status is None or status.weight in (0, before.weight):
        return True
    waited = before.check_time and moment.after.now >= before.check_time + timedelta(seconds=moment.after.spec.interval)
    stepped = status.weight == moment.after.spec.next_weight(before.weight)
    measured = moment.after.measured == (before.revision, before.check_time, False)
    return stepped and (not before.weight or bool(waited and measured))


@promise
def the_canary_serves_until_the_primary_is_ready(moment: Moment) -> bool:
    """While the primary is switched over, the canary keeps its share until the primary is ready."""
    status, world = moment.status, moment.before
    if status is None or world.status.phase is not Phase.PROMOTING or status.phase is not Phase.FINALISING:
        return True
    return world.live == world.status.revision and world.primary_ready()


@promise
def traffic_is_measured_where_there_is_some(moment: Moment) -> bool:
    """A check with traffic is made only while the canary gets some."""
    if not isinstance(moment.write, Measure):
        return True
    return bool(moment.after.canary) and (not moment.write.traffic or bool(moment.after.route))


# The primary


@promise
def promoted_is_only_what_was_proven(moment: Moment) -> bool:
    """The primary gets only what passed its last check at its last weight beside this very primary, what somebody let
    through, or what waits while it has served nobody for a minute."""
    if not _is_ask(moment, "go"):
        return True
    world, status = moment.before, moment.before.status
    down = world.down_since is not None and world.now - world.down_since >= PATIENCE
    proven = (world.stash, world.live, world.spec.terms) in world.proven
    return proven or down or bool(status.waived) or world.spec.skip_analysis


@promise
def nobody_waives_an_analysis_but_who_may(moment: Moment) -> bool:
    """An analysis is waived only by a wish for this revision, by a mark for it, or by a policy without routes."""
    status, before, world = moment.status, moment.before.status, moment.after
    if status is None or not status.waived or status.waived == before.waived:
        return True
    wish = world.wish
    wished = wish and wish.verb is Verb.PROMOTE and wish.revision == status.revision and wish.whose == status.waived
    return bool(wished or world.at_once or world.direct or world.unrouted)


@promise
def the_swap_is_stored_before_it_is_asked_for(moment: Moment) -> bool:
    """A promotion is asked for only when `Promoting` is stored for this revision, beside the same primary."""
    if not _is_ask(moment, "go"):
        return True
    world, status = moment.before, moment.before.status
    stored = (status.phase, status.revision, status.ending) == (Phase.PROMOTING, world.stash, None)
    return stored and world.live == status.base


@promise
def the_primary_changes_by_a_promotion_or_its_undoing_alone(moment: Moment) -> bool:
    """Nothing that the analyzer writes changes the primary's template, but `go` and `back`."""
    before, after = moment.before, moment.after
    if before.live == after.live:
        return True
    return after.live == (before.stash if _is_ask(moment, "go") else before.previous) and isinstance(moment.write, Ask)


@promise
def nothing_that_waits_is_lost(moment: Moment) -> bool:
    """What waits goes only by being promoted; what it replaced goes only when that is over, or by being put back."""
    before, after = moment.before, moment.after
    kept = before.stash in (None, after.stash) or after.live == before.stash
    return kept and (before.previous in (None, after.previous) or _is_ask(moment, "done") or _is_ask(moment, "back"))


@promise
def a_promotion_is_done_when_nothing_is_left(moment: Moment) -> bool:
    """What was replaced is let go of only when the primary is ready and the canary gone."""
    if not _is_ask(moment, "done"):
        return True
    world = moment.before
    return (world.canary, world.route, world.service) == (None, None, False)


@promise
def a_promotion_is_taken_back_only_for_a_reason(moment: Moment) -> bool:
    """The primary gets its old template back only once an ending is stored that is no success."""
    ending = moment.before.status.ending
    return not _is_ask(moment, "back") or bool(ending and ending.outcome is not Outcome.SUCCEEDED)


# Endings


@promise
def the_last_word_comes_last(moment: Moment) -> bool:
    """`Succeeded` and `Failed` are stored only when nothing of the canary is left, whoever stores them."""
    if not (moment.status and moment.status.phase in _ENDED and moment.status.phase is not moment.before.status.phase):
        return True
    return (moment.after.canary, moment.after.route, moment.after.service) == (None, None, False)


@promise
def succeeded_means_that_the_primary_is_the_revision(moment: Moment) -> bool:
    """A success is stored only when the primary's template is the revision, and nothing of the old one is kept."""
    if not (moment.ended and moment.status and moment.status.phase is Phase.SUCCEEDED):
        return True
    swept = moment.status.history == moment.before.status.history
    return swept or (moment.after.live, moment.after.previous) == (moment.status.revision, None)


@promise
def the_history_has_one_entry_for_each_ending(moment: Moment) -> bool:
    """The history gets one entry with each ending, says the same, and never has two of one run; nothing leaves it."""
    status = moment.status
    if status is None:
        return True
    before = moment.before.status.history
    if status.history == before:
        return not (moment.ended and status.started and _key(status) not in {_run(entry) for entry in before})
    runs, last = [_run(entry) for entry in status.history], status.history[-1]
    same = status.ending and (last["outcome"], last["message"]) == (status.ending.outcome, status.ending.message)
    added = (*before, last)[-HISTORY_KEPT:] == status.history
    return bool(moment.ended and same and added and len({*runs}) == len(runs))


@promise
def every_ending_says_why(moment: Moment) -> bool:
    """An ending is never stored without a message: an event may be lost, the status tells."""
    return not (moment.status and moment.status.ending) or bool(moment.status.ending.message)


@promise
def only_what_failed_is_remembered(moment: Moment) -> bool:
    """A revision is remembered as rejected only when it failed or was aborted, and forgotten only to run anew."""
    status, before = moment.status, moment.before.status
    if status is None or status.rejected == before.rejected:
        return True
    if set(status.rejected) - set(before.rejected):
        return bool(moment.ended and status.ending and status.ending.outcome in (Outcome.FAILED, Outcome.ABORTED))
    return set(before.rejected) - set(status.rejected) <= {status.revision}


# Checks


@promise
def a_failed_check_counts_once(moment: Moment) -> bool:
    """The failed checks rise one by one, each by a measurement of its own that failed; none counts for another."""
    status, before = moment.status, moment.before.status
    if status is None or status.failed_checks <= before.failed_checks:
        return True
    if moment.before.crashed or not moment.before.canary_available():  # needs no measuring
        return status.failed_checks == before.failed_checks + 1
    measured = moment.after.measured
    own = measured == (before.revision, before.check_time, True) and moment.after.judged.count(measured) == 1
    return own and status.failed_checks == before.failed_checks + 1


@promise
def failed_checks_are_forgotten_only_by_a_new_beginning(moment: Moment) -> bool:
    """The failed checks go back to 0 only when a revision begins."""
    status, before = moment.status, moment.before.status
    if status is None or status.failed_checks >= before.failed_checks:
        return True
    return status.started != before.started and status.failed_checks == 0


@promise
def a_wish_is_heard_once_and_for_its_own_revision(moment: Moment) -> bool:
    """A wish is noted as heard only if it is there, and is for the revision that is concerned."""
    status, wish = moment.status, moment.after.wish
    if status is None or status.observed_wish == moment.before.status.observed_wish:
        return True
    return bool(wish and wish.text == status.observed_wish and wish.revision == status.revision)


# No end without a beginning


@promise
def initialized_means_that_updates_are_diverted(moment: Moment) -> bool:
    """`Initialized` is stored only when the next update is certain to be diverted."""
    if not (moment.status and moment.status.phase is Phase.INITIALIZED):
        return True
    return moment.status.guarded or moment.before.status.phase is Phase.INITIALIZED


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


def _drained(moment: Moment) -> bool:
    last, world = moment.before.last_traffic, moment.before
    return last is None or world.now - last >= timedelta(seconds=world.spec.drain)


def _is_ask(moment: Moment, verb: str) -> bool:
    return isinstance(moment.write, Ask) and moment.write.verb == verb


def _run(entry: object) -> object:
    return entry["revision"], entry["startTime"]  # type: ignore[index]


def _key(status: Status) -> object:
    return status.revision, timestamp(status.started) if status.started else None


def _short(write: Write) -> str:
    if isinstance(write, Status):
        return f"stored {write.phase} at weight {write.weight}, {write.ending}"
    return str(write)
