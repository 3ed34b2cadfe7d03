"""Promises about the primary: what it gets, from whom, and what becomes of what it had."""

from datetime import timedelta

from analyzer.actions import Ask
from analyzer.status import Outcome, Phase
from analyzer.wishes import Verb
from tests.analyzer.invariants.moment import Moment, is_ask, promise

PATIENCE = timedelta(seconds=60)


@promise
def promoted_is_only_what_was_proven(moment: Moment) -> bool:
    """The primary gets only what passed its last check at its last weight beside this very primary, what somebody let
    through, or what waits while it has served nobody for a minute."""
    if not is_ask(moment, "go"):
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
    if not is_ask(moment, "go"):
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
    return after.live == (before.stash if is_ask(moment, "go") else before.previous) and isinstance(moment.write, Ask)


@promise
def the_primary_gets_its_traffic_back_as_it_gets_its_replicas_back(moment: Moment) -> bool:
    """A promoted primary that its autoscaler has scaled down never gets a share that its replicas did not bear before,
    but a third more than it has; while the canary can serve, and until the progress deadline."""
    status, before, world = moment.status, moment.before.status, moment.after
    if status is None or status.weight >= before.weight or before.phase is not Phase.FINALISING:
        return True
    since = before.returned or before.step_time
    over = since is not None and world.now - since >= timedelta(seconds=world.spec.progress_deadline)
    if over or not (world.autoscaled and world.canary_available()):
        return True
    serving = world.replicas if world.serving is None else world.serving
    had, share = 100 - before.weight, 100 - status.weight
    return share * before.replicas <= 100 * serving or share <= had * 4 // 3 + 1


@promise
def nothing_that_waits_is_lost(moment: Moment) -> bool:
    """What waits goes only by being promoted; what it replaced goes only when that is over, or by being put back."""
    before, after = moment.before, moment.after
    kept = before.stash in (None, after.stash) or after.live == before.stash
    return kept and (before.previous in (None, after.previous) or is_ask(moment, "done") or is_ask(moment, "back"))


@promise
def a_promotion_is_done_when_nothing_is_left(moment: Moment) -> bool:
    """What was replaced is let go of only when the canary is gone, unless somebody has changed the primary since."""
    if not is_ask(moment, "done"):
        return True
    world = moment.before
    cut_across = world.previous and world.stash and world.live != world.status.revision
    return bool(cut_across) or (world.canary, world.route, world.service) == (None, None, None)


@promise
def a_promotion_is_taken_back_only_for_a_reason(moment: Moment) -> bool:
    """The primary gets its old template back only once an ending is stored that is no success."""
    ending = moment.before.status.ending
    return not is_ask(moment, "back") or bool(ending and ending.outcome is not Outcome.SUCCEEDED)
