"""The canary of a primary that has an autoscaler: its size, and what becomes of both when it does not pass."""

from dataclasses import replace
from itertools import pairwise

import pytest

from analyzer.status import Phase
from analyzer.strategy import Strategy
from analyzer.wishes import Verb
from analyzer.workload import replicas_for
from tests.analyzer.autoscaler import HOURLY, SLOW, Autoscaler, autoscaled
from tests.analyzer.things import FAILED, V2
from tests.analyzer.world import shipped


def test_a_canary_does_not_shrink_with_the_primary_that_it_relieves() -> None:
    shop = autoscaled()
    for weight in (20, 40, 60):
        shop.run_to(weight)
        canary = shop.world.canary
        assert canary
        assert canary[1] >= replicas_for(10, weight)
    assert shop.world.status.failed_checks == 0


def test_a_canary_grows_with_a_primary_that_grows() -> None:
    shop = autoscaled()
    shop.run_to(20)
    shop.users *= 2
    shop.run(80)
    canary = shop.world.canary
    assert canary
    assert canary[1] >= replicas_for(shop.world.replicas, 40) > replicas_for(10, 40)


def test_an_autoscaler_that_changes_its_mind_all_the_time_does_not_hold_the_analysis_up() -> None:
    world = shipped(replicas=6, autoscaled=True)
    sizes = []
    for second in range(120):
        world.replicas = world.serving = 5 + second % 2
        world.run(1)
        sizes.append(world.canary and world.canary[1])
    assert world.phase() is Phase.SUCCEEDED
    made = [size for before, size in pairwise(sizes) if size and size != before]
    assert made == sorted(made)


def test_a_primary_that_people_scale_is_followed_both_ways() -> None:
    world = shipped(replicas=10, spec=SLOW)
    world.run(60)
    world.replicas = 4
    world.run(5)
    assert world.canary
    assert world.canary[1] == replicas_for(4, 40)


@pytest.mark.parametrize("ending", ["failing checks", "a person", "a newer revision"])
def test_any_other_ending_gives_all_back_at_once_and_asks_for_the_replicas_that_were_there(ending: str) -> None:
    shop = autoscaled()
    shop.run_to(60)
    assert shop.world.replicas < 10
    if ending == "failing checks":
        shop.world.spec, shop.world.checks = replace(SLOW, threshold=1), FAILED
        _run_until_weightless(shop)
    elif ending == "a person":
        shop.world.ask(Verb.ABORT, V2)
    else:
        shop.world.divert("3" * 64)
    shop.run(3)
    assert (shop.world.status.weight, shop.world.route or 0) == (0, 0)
    assert shop.world.replicas == 10


def _run_until_weightless(shop: Autoscaler) -> None:
    for _ in range(HOURLY):
        shop.run(1)
        if shop.world.status.weight == 0:
            break


def test_a_newer_revision_remembers_how_many_the_primary_had() -> None:
    shop = autoscaled()
    shop.run_to(60)
    shop.world.divert("3" * 64)
    shop.run(3)
    assert shop.world.status.replicas == 10


def test_traffic_is_not_sent_to_a_primary_that_was_scaled_to_nothing() -> None:
    """KEDA does that, to a primary that has no requests."""
    spec = replace(SLOW, strategy=Strategy((100,)), threshold=1)
    world = shipped(replicas=4, spec=spec, autoscaled=True)
    world.run(HOURLY, until=lambda world: world.route == 100)
    world.replicas, world.serving = 0, 0
    world.run(10)
    assert world.phase() is Phase.PROGRESSING, "the canary serves everybody"
    world.ask(Verb.ABORT, V2)
    world.run(10)
    assert (world.route, world.replicas) == (100, 4)
    world.serving = 1
    world.run(2)
    assert world.route == 0
