"""Routers that come back later than we do when the API server was away: what they have not heard has not happened."""

from datetime import timedelta

from analyzer.status import Phase
from tests.analyzer.things import PASSED, SPEC
from tests.analyzer.world import World, shipped

DRAIN = SPEC.propagation + SPEC.drain


def without_weight(world: World) -> bool:
    return world.status.ending is not None and not world.route


def gone(world: World) -> bool:
    return world.canary is None


def test_the_drain_begins_when_routers_hear_again() -> None:
    world = shipped(checks=PASSED)
    world.run(200, until=without_weight)
    world.deaf_until = world.now + timedelta(seconds=20)
    world.run(100, until=gone)
    assert world.deaf_until
    assert world.now >= world.deaf_until + timedelta(seconds=DRAIN)
    world.run(30)
    assert (world.phase(), world.breaches) == (Phase.SUCCEEDED, [])


def test_a_drain_that_the_api_server_was_away_in_is_done_again() -> None:
    world = shipped(checks=PASSED)
    world.run(200, until=without_weight)
    world.run(DRAIN - 1)
    world.deaf_until = world.now + timedelta(seconds=10)
    world.run(100, until=gone)
    assert world.deaf_until
    assert world.now >= world.deaf_until + timedelta(seconds=DRAIN)


def test_pods_go_when_routers_have_heard_that_the_route_is_gone() -> None:
    world = shipped(checks=PASSED)
    world.run(200, until=lambda world: world.status.unrouted is not None)
    world.deaf_until = world.now + timedelta(seconds=10)
    world.run(100, until=gone)
    assert world.deaf_until
    assert world.now >= world.deaf_until + timedelta(seconds=SPEC.propagation)


def test_a_canary_gets_its_first_share_when_routers_have_heard_of_its_pods() -> None:
    world = shipped(checks=PASSED)
    world.deaf_until = world.now + timedelta(seconds=20)
    world.run(100, until=lambda world: bool(world.route))
    assert world.deaf_until
    assert world.now >= world.deaf_until + timedelta(seconds=SPEC.propagation)


def test_the_primarys_pods_go_when_routers_would_hear_of_it() -> None:
    world = shipped(checks=PASSED)
    world.run(100, until=lambda world: world.route == 60)
    world.deaf_until = world.now + timedelta(seconds=40)
    world.run(200, until=lambda world: world.status.phase is Phase.PROMOTING)
    assert world.deaf_until
    assert world.now >= world.deaf_until
    world.run(100)
    assert (world.phase(), world.breaches) == (Phase.SUCCEEDED, [])


def test_deaf_routers_do_not_keep_an_analysis_from_going_on() -> None:
    world = shipped(checks=PASSED)
    world.run(100, until=lambda world: bool(world.route))
    world.deaf_until = world.now + timedelta(hours=1)
    world.run(200, until=lambda world: world.route == 60)
    assert world.route == 60
