"""When the wire is as the Canary says, judged on answers that were made up."""

import pytest

from tests.bench.answers import Answer
from tests.scenarios.wire import SETTLED, Moment, by_weight, complaints, never, stretches, weights

RATE = 40
COURSE = [
    Moment(0.0, "Progressing", 0),
    Moment(5.0, "Progressing", 20),
    Moment(10.0, "Progressing", 40),
    Moment(15.0, "Promoting", 40),
    Moment(20.0, "Finalising", 0),
]


def answered(seconds: float, lag: float = 0.0, least: int = 0) -> list[Answer]:
    """What a router does that follows the course `lag` seconds late: the first of a hundred go to the canary."""
    found = []
    for number in range(int(seconds * RATE)):
        at = number / RATE
        weight = next(moment.weight for moment in reversed(COURSE) if moment.at + lag <= at or moment is COURSE[0])
        pod = "podinfo-canary-1" if number * 7 % 100 < max(weight, least) else "podinfo-1"
        found.append(Answer(number, at, 0.0, 0.01, True, pod, "6.0.1"))
    return found


def test_a_router_that_follows_soon_is_right_at_every_weight_in_its_order() -> None:
    found = stretches(COURSE, answered(30, lag=SETTLED / 2))
    assert weights(found) == (20, 40)
    assert [stretch.expected for stretch in found] == [0, 20, 40, 0]
    assert complaints(found, (20, 40)) == []


def test_a_router_that_follows_late_is_wrong() -> None:
    assert complaints(stretches(COURSE, answered(30, lag=4.0)), (20, 40))


def test_a_canary_that_answers_before_it_has_a_weight_is_told() -> None:
    [first, *_] = complaints(stretches(COURSE, answered(30, least=15)), (20, 40))
    assert first.startswith("at weight 0 the canary answered 1")


def test_users_whom_the_canary_is_not_for_never_meet_it() -> None:
    found = stretches(COURSE, answered(30), never)
    assert len(complaints(found, None, "others")) == 2
    assert "of others, not 0 %" in complaints(found, None, "others")[0]


@pytest.mark.parametrize("wanted", [(20,), (20, 40, 60), (40, 20), ()])
def test_another_order_of_weights_is_told(wanted: tuple[int, ...]) -> None:
    found = stretches(COURSE, answered(30), by_weight)
    assert complaints(found, wanted) == [f"the weights were (20, 40), not {wanted}"]


def test_a_weight_that_was_too_short_to_be_seen_is_not_taken_for_right() -> None:
    [complaint] = complaints(stretches(COURSE, answered(11)), (20, 40))
    assert complaint == "too few requests of users to tell their share at 40 %"
