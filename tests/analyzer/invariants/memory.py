"""Promises about what is stored: endings, what is counted, and what is remembered of both."""

from analyzer.status import HISTORY_KEPT, Outcome, Phase, Status, timestamp
from tests.analyzer.invariants.moment import ENDED, Moment, promise

# Endings


@promise
def the_last_word_comes_last(moment: Moment) -> bool:
    """`Succeeded` and `Failed` are stored only when nothing of the canary is left, whoever stores them."""
    if not (moment.status and moment.status.phase in ENDED and moment.status.phase is not moment.before.status.phase):
        return True
    return (moment.after.canary, moment.after.route, moment.after.service) == (None, None, None)


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


# Checks, wishes, and what else is noted


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


@promise
def initialized_means_that_updates_are_diverted(moment: Moment) -> bool:
    """`Initialized` is stored only when the next update is certain to be diverted."""
    if not (moment.status and moment.status.phase is Phase.INITIALIZED):
        return True
    return moment.status.guarded or moment.before.status.phase is Phase.INITIALIZED


def _run(entry: object) -> object:
    return entry["revision"], entry["startTime"]  # type: ignore[index]


def _key(status: Status) -> object:
    return status.revision, timestamp(status.started) if status.started else None
