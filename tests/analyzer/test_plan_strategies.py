"""Strategies in the state machine: A/B tests, Blue/Green with and without routes, and a mirror before the weights."""

from dataclasses import replace

from analyzer.status import Phase
from analyzer.strategy import Strategy
from tests.analyzer.test_strategy import INSIDERS
from tests.analyzer.things import FAILED, SPEC, V1, V2
from tests.analyzer.world import World, shipped

LONG = 200.0


def by(strategy: Strategy, **changes: object) -> World:
    world = shipped(spec=replace(SPEC, strategy=strategy), **changes)
    world.run(LONG)
    assert world.breaches == []
    return world


def test_an_ab_test_is_promoted_after_its_iterations() -> None:
    world = by(Strategy(iterations=3, matches=INSIDERS))
    assert (world.phase(), world.live) == (Phase.SUCCEEDED, V2)
    assert [told for told in world.told if "iteration" in told] == [
        f"Advance podinfo.shop canary iteration {number}/3" for number in (1, 2, 3)
    ]
    assert set(world.weights) == {0, 100}


def test_an_ab_test_that_fails_sends_nobody_there_any_more() -> None:
    world = by(Strategy(iterations=3, matches=INSIDERS), checks=FAILED)
    assert (world.phase(), world.ran, world.route, world.canary) == (Phase.FAILED, [V1], None, None)


def test_blue_green_is_checked_first_and_then_has_all_of_the_traffic_at_once() -> None:
    world = by(Strategy(iterations=2))
    assert (world.phase(), world.live) == (Phase.SUCCEEDED, V2)
    assert [weight for weight in world.weights if weight] == [100]
    assert "Routing all traffic to canary podinfo.shop" in world.told


def test_blue_green_that_fails_had_no_traffic() -> None:
    world = by(Strategy(iterations=2), checks=FAILED)
    assert (world.phase(), world.ran) == (Phase.FAILED, [V1])
    assert not any(world.weights)


def test_blue_green_has_the_size_of_the_primary_from_the_start() -> None:
    world = shipped(spec=replace(SPEC, strategy=Strategy(iterations=2)), replicas=7)
    world.run(5)
    assert world.canary
    assert world.canary[1] == 7


def test_blue_green_needs_no_routes() -> None:
    world = by(Strategy(iterations=2), unrouted=True)
    assert (world.phase(), world.live) == (Phase.SUCCEEDED, V2)
    assert not any(world.weights)
    assert (world.canary, world.service) == (None, None)


def test_a_mirror_is_checked_before_any_user_is_sent_there() -> None:
    world = by(Strategy((50,), mirror=100))
    assert (world.phase(), world.live) == (Phase.SUCCEEDED, V2)
    mirroring = world.told.index("Mirroring 100 percent of the requests for podinfo.shop to its canary")
    assert mirroring < world.told.index("Advance podinfo.shop canary weight 50")


def test_an_analysis_that_is_skipped_has_no_iterations() -> None:
    world = shipped(spec=replace(SPEC, strategy=Strategy((100,)), skip_analysis=True))
    world.run(LONG)
    assert (world.phase(), world.live) == (Phase.SUCCEEDED, V2)
    assert not any(world.weights)
