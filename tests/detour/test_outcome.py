"""What `detour wait` makes of a Deployment and its Canary: it never takes the run before for this one."""

from dataclasses import replace

import pytest

from analyzer.status import Ending, Outcome, Phase, Status
from analyzer.wishes import Verb, annotations_for
from detour.outcome import Exit, Standing, standing, wanted_of
from tests.detour.objects import NOW, V2, V3, Object, canary, deployment

GUARDED = Status(phase=Phase.INITIALIZED, guarded=True)
RUNS = GUARDED.begin(V2, "", {}, NOW)
REJECTED = replace(RUNS, ending=Ending(Outcome.FAILED, "too many errors")).end(NOW)


def judged(first: Object, then: Object | None, status: Status | None, before: Status = GUARDED) -> Standing:
    """How it stands `then`, for who began to wait at `first`, when the analyzer had stored `before`."""
    wanted = wanted_of(first, canary(before))
    return standing(wanted, then, None if status is None else canary(status))


def test_nothing_diverted_is_success_as_soon_as_the_primarys_own_rollout_is_complete() -> None:
    rolling = deployment(available=1)
    assert judged(rolling, rolling, GUARDED).exit is None
    assert "1 of 2" in judged(rolling, rolling, GUARDED).text
    assert judged(rolling, deployment(), GUARDED).exit is Exit.PROMOTED


def test_a_rollout_that_has_given_up_is_a_failure() -> None:
    gave_up = [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]
    stuck = deployment(available=0, conditions=gave_up)
    assert judged(stuck, stuck, GUARDED).exit is Exit.NOT_PROMOTED


def test_an_application_without_a_canary_is_an_ordinary_rollout() -> None:
    assert standing(wanted_of(deployment(), None), deployment(), None).exit is Exit.PROMOTED


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(replace(GUARDED, phase=Phase.SUCCEEDED, revision=V3), id="another one succeeded"),
        pytest.param(replace(REJECTED, revision=V3, rejected=(V3,)), id="another one failed"),
        pytest.param(replace(RUNS, ending=Ending(Outcome.CANCELLED, "undone")).end(NOW), id="the same was cancelled"),
        pytest.param(replace(RUNS, ending=Ending(Outcome.SUCCEEDED, "passed")).end(NOW), id="the same succeeded once"),
        pytest.param(GUARDED, id="there was none"),
    ],
)
def test_right_after_an_update_nothing_of_the_run_before_counts(before: Status) -> None:
    diverted = deployment(diverted="2")
    assert judged(diverted, diverted, before, before).exit is None


def test_it_says_how_far_it_is_and_why_it_halts() -> None:
    diverted = deployment(diverted="2")
    assert judged(diverted, diverted, replace(RUNS, weight=25)).text == "Progressing at weight 25 %"
    halted = replace(RUNS, weight=25, problem="the gate says no")
    assert judged(diverted, diverted, halted).text == "Progressing at weight 25 %, waits: the gate says no"
    leaving = replace(RUNS, ending=Ending(Outcome.FAILED, "too many errors"))
    assert judged(diverted, diverted, leaving) == Standing("on the way out: too many errors")


def test_the_switch_of_the_primary_is_no_success_before_it_is_done() -> None:
    promoting = replace(RUNS, phase=Phase.PROMOTING, weight=50)
    switched = deployment("2", previous="1", available=1)
    assert judged(deployment(diverted="2"), switched, promoting).exit is None
    assert judged(switched, switched, promoting).exit is None, "nor for who comes in the middle of it"
    succeeded = replace(promoting, ending=Ending(Outcome.SUCCEEDED, "every check passed")).end(NOW)
    done = judged(deployment(diverted="2"), deployment("2"), succeeded)
    assert done == Standing("promoted: every check passed", Exit.PROMOTED)
    assert judged(deployment(diverted="2"), deployment("2", available=1), succeeded).exit is None


def test_a_promotion_that_is_followed_by_a_newer_revision_is_a_promotion() -> None:
    assert judged(deployment(diverted="2"), deployment("2", diverted="3"), GUARDED).exit is Exit.PROMOTED


def test_a_failure_is_one_when_the_analyzer_remembers_it() -> None:
    diverted = deployment(diverted="2")
    assert judged(diverted, diverted, REJECTED) == Standing("failed: too many errors", Exit.NOT_PROMOTED)
    assert judged(diverted, diverted, REJECTED, REJECTED).exit is Exit.NOT_PROMOTED, "it does not run again by itself"


def test_a_retry_that_the_analyzer_has_not_heard_yet_keeps_the_last_failure_from_counting() -> None:
    diverted = deployment(diverted="2")
    wish = {key: value for key, value in annotations_for(Verb.RETRY, V2, "t", "ann").items() if value}
    wanted = wanted_of(diverted, canary(REJECTED))
    assert standing(wanted, diverted, canary(REJECTED, wish)).exit is None
    heard = replace(REJECTED, observed_wish=wish["detour.dev/ask"])
    assert standing(wanted, diverted, canary(heard, wish)).exit is Exit.NOT_PROMOTED


def test_what_is_replaced_is_superseded_by_a_named_revision_and_person() -> None:
    found = judged(deployment(diverted="2"), deployment(diverted="3"), RUNS.begin(V3, "", {}, NOW))
    assert found == Standing(f"superseded: revision {V3[:10]} by ann is diverted instead", Exit.NOT_PROMOTED)


def test_what_is_taken_back_is_cancelled_once_its_canary_is_gone() -> None:
    leaving = replace(RUNS, ending=Ending(Outcome.CANCELLED, "taken back"))
    assert judged(deployment(diverted="2"), deployment(), RUNS).exit is None
    assert judged(deployment(diverted="2"), deployment(), leaving) == Standing("on the way out: taken back")
    cancelled = judged(deployment(diverted="2"), deployment(), leaving.end(NOW))
    assert cancelled == Standing("cancelled: taken back", Exit.NOT_PROMOTED)


def test_what_is_gone_before_anybody_saw_it_is_cancelled_and_not_what_the_same_revision_was_before() -> None:
    found = judged(deployment(diverted="2"), deployment(), REJECTED, REJECTED)
    assert found.text.startswith("cancelled: nothing is diverted any more")


def test_a_deleted_deployment_and_a_deleted_canary_are_told_apart() -> None:
    assert judged(deployment(diverted="2"), None, RUNS).exit is Exit.NOT_PROMOTED
    unguarded = judged(deployment(diverted="2"), deployment(diverted="2"), None)
    assert unguarded.exit is None
    assert "without a Canary" in unguarded.text
