"""The positions that an analysis goes through, by its strategy, and what the routes do at each."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.strategy import START, Position, Strategy
from analyzer.traffic import Header, How, Match, Traffic

INSIDERS = (Match((Header("x-user", How.EXACT, "insider"),)),)

STRATEGIES = st.builds(
    Strategy,
    steps=st.sets(st.integers(1, 100), min_size=1, max_size=5).map(lambda found: tuple(sorted(found))),
    iterations=st.integers(0, 5),
    matches=st.sampled_from([(), INSIDERS]),
    mirror=st.sampled_from([0, 10, 100]),
)


def course(strategy: Strategy, *, routed: bool = True) -> list[Position]:
    """All positions from the start to the last."""
    found = [START]
    while not strategy.is_last(found[-1], routed=routed):
        found.append(strategy.after(found[-1], routed=routed))
    return found


def test_weights_rise_step_by_step() -> None:
    assert [at.weight for at in course(Strategy((20, 40, 60)))] == [0, 20, 40, 60]


def test_an_ab_test_sends_those_that_match_for_as_many_checks_as_are_asked_for() -> None:
    strategy = Strategy(iterations=3, matches=INSIDERS)
    assert course(strategy) == [START, Position(100, 1), Position(100, 2), Position(100, 3)]
    assert {strategy.traffic(at) for at in course(strategy)[1:]} == {Traffic(0, INSIDERS)}
    assert strategy.traffic(START) == Traffic()


def test_blue_green_checks_without_traffic_and_then_shifts_all_of_it() -> None:
    strategy = Strategy(iterations=2)
    assert course(strategy) == [START, Position(0, 1), Position(0, 2), Position(100, 2)]
    assert [strategy.traffic(at).weight for at in course(strategy)] == [0, 0, 0, 100]


def test_blue_green_without_routes_is_over_with_its_last_check() -> None:
    assert course(Strategy(iterations=2), routed=False) == [START, Position(0, 1), Position(0, 2)]


def test_a_mirror_comes_before_the_first_weight() -> None:
    strategy = Strategy((50,), mirror=10)
    assert course(strategy) == [START, Position(0, 1), Position(50, 1)]
    assert [strategy.traffic(at) for at in course(strategy)] == [Traffic(), Traffic(mirror=10), Traffic(50)]


def test_blue_green_mirrors_during_its_iterations() -> None:
    strategy = Strategy(iterations=1, mirror=100)
    assert [strategy.traffic(at) for at in course(strategy)] == [Traffic(), Traffic(mirror=100), Traffic(100)]


def test_those_that_match_may_come_beside_a_rising_share_of_the_others() -> None:
    strategy = Strategy((20, 40), matches=INSIDERS)
    shares = [strategy.traffic(at) for at in course(strategy)]
    assert shares == [Traffic(), Traffic(20, INSIDERS), Traffic(40, INSIDERS)]


@pytest.mark.parametrize(("promotion_step", "way"), [(0, [60, 0]), (25, [60, 35, 10, 0])])
def test_the_weight_goes_back_at_once_or_in_steps(promotion_step: int, way: list[int]) -> None:
    strategy, walked = Strategy((60,), promotion_step=promotion_step), [60]
    while walked[-1]:
        walked.append(strategy.before(walked[-1]))
    assert walked == way


@given(STRATEGIES, st.booleans())
def test_an_analysis_ends_and_never_takes_anything_back(strategy: Strategy, routed: bool) -> None:
    positions = course(strategy, routed=routed)
    assert len(positions) <= 1 + strategy.length + strategy.is_blue_green
    for before, after in pairwise(positions):
        assert after != before
        assert (after.weight, after.iteration) >= (before.weight, before.iteration) or after.weight > before.weight
        assert strategy.load(after) >= max(strategy.traffic(after).weight, strategy.traffic(after).mirror)


@given(STRATEGIES)
def test_nobody_is_sent_anywhere_before_it_begins(strategy: Strategy) -> None:
    assert strategy.traffic(START) == Traffic()
