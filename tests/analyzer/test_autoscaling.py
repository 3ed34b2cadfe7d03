"""A primary that has an autoscaler: the canary's size, and the way back of the traffic."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from analyzer import exits
from analyzer.status import Phase
from analyzer.strategy import Strategy
from analyzer.wishes import Verb
from analyzer.workload import replicas_for
from tests.analyzer.autoscaler import TOLERANCE, Autoscaler
from tests.analyzer.things import FAILED, SPEC, V2
from tests.analyzer.world import shipped

HOURLY = 3600
MOST = 4 / 3 * (1 + TOLERANCE) + 0.02
SLOW = replace(SPEC, interval=90, progress_deadline=600)
KINDS = {
    "that measures its pods": {"per_pod": True},
    "that measures all requests, as KEDA does": {"per_pod": False},
    "that waits before it scales down": {"per_pod": True, "kept": 60},
    "that waits, and measures all requests": {"per_pod": False, "kept": 60},
}


def autoscaled(replicas: int = 10, users: float = 100.0, spec: object = SLOW, **how: Any) -> Autoscaler:
    """An update has just been diverted, of an application whose pods should have a tenth of `users` each."""
    world = shipped(replicas=replicas, autoscaled=True, spec=spec)
    return Autoscaler(world, users=users, target=users / replicas, **how)


# The way back


@pytest.mark.parametrize("how", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("replicas", [2, 3, 5, 10, 40])
def test_a_promotion_overloads_no_primary_that_was_scaled_down_meanwhile(replicas: int, how: dict[str, Any]) -> None:
    shop = autoscaled(replicas, **how)
    shop.run(HOURLY, until=Phase.FINALISING)
    assert len(shop.pods) < replicas, "it is scaled down to its share"
    shop.run(HOURLY, until=Phase.SUCCEEDED)
    assert shop.world.phase() is Phase.SUCCEEDED
    assert shop.busiest() <= MOST, "no pod has ever had more than a third above what its autoscaler tolerates"
    assert shop.world.replicas >= replicas * 0.8
    assert shop.world.breaches == []


def test_the_same_shop_without_that_care_overloads_its_primary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exits, "returning", lambda *_: None)
    shop = autoscaled()
    shop.run(HOURLY, until=Phase.SUCCEEDED)
    assert shop.busiest() > 2


def test_all_of_it_comes_back_only_when_the_primary_has_what_it_had() -> None:
    shop = autoscaled()
    shop.run(HOURLY, until=Phase.SUCCEEDED)
    full = next(pods for share, pods, phase in shop.seen if phase is Phase.FINALISING and share == 100)
    assert full == 10
    weights = shop.world.decided
    assert weights[:3] == [20, 40, 60]
    assert weights[3:] == sorted(weights[3:], reverse=True)
    assert weights[-1] == 0


def test_a_primary_that_was_not_scaled_down_waits_for_nothing() -> None:
    shop = autoscaled(kept=HOURLY)
    shop.run(HOURLY, until=Phase.FINALISING)
    shop.run(2)
    assert shop.world.status.weight == 0
    assert not any(told.startswith("Returning") for told in shop.world.told)


def test_an_autoscaler_that_finds_fewer_enough_is_right_when_users_have_gone() -> None:
    shop = autoscaled()
    shop.run(200)
    shop.users = 40.0
    shop.run(HOURLY, until=Phase.SUCCEEDED)
    assert shop.world.phase() is Phase.SUCCEEDED
    assert shop.busiest() <= MOST
    shop.run(60)
    assert shop.world.replicas < 10


def test_pods_that_do_not_come_are_not_waited_for_long() -> None:
    world = shipped(replicas=20, spec=SLOW, autoscaled=True)
    world.run(HOURLY, until=lambda world: world.status.weight == 60)
    world.replicas = world.serving = 8
    world.until(Phase.FINALISING)
    world.run(3)
    assert (world.replicas, world.status.weight) == (11, 60), "it is asked for, and not there"
    world.run(HOURLY, until=lambda world: world.status.weight == 0)
    assert world.decided == [20, 40, 60, 46, 27, 2, 0]


def test_a_primary_that_serves_nobody_gets_nothing_until_the_deadline() -> None:
    world = shipped(replicas=4, spec=SLOW, autoscaled=True)
    world.run(HOURLY, until=lambda world: world.status.weight == 60)
    world.replicas = 2
    world.run(HOURLY, until=lambda world: world.phase() is Phase.FINALISING)
    world.serving, began = 0, world.now
    world.run(HOURLY, until=lambda world: world.status.weight == 0)
    assert (world.now - began).total_seconds() >= SLOW.progress_deadline - 5


def test_a_canary_that_cannot_serve_any_more_is_waited_for_no_longer() -> None:
    shop = autoscaled()
    shop.run(HOURLY, until=Phase.FINALISING)
    shop.run(5)
    assert shop.world.status.weight
    shop.world.comes_up = False
    shop.run(2)
    assert (shop.world.status.weight, shop.world.route) == (0, 0)


def test_it_is_carried_on_from_by_a_successor_at_any_moment() -> None:
    shop = autoscaled()
    shop.world.each_write_is_the_last = True
    shop.run(HOURLY, until=Phase.SUCCEEDED)
    assert shop.world.phase() is Phase.SUCCEEDED
    assert shop.busiest() <= MOST
    assert shop.world.breaches == []


def test_no_share_is_given_while_routers_are_deaf() -> None:
    shop = autoscaled()
    shop.run(HOURLY, until=Phase.FINALISING)
    shop.run(5)
    weight, world = shop.world.status.weight, shop.world
    world.deaf_until = world.now.replace(year=world.now.year + 1)
    shop.run(300)
    assert world.status.weight == weight


# Every other ending


@pytest.mark.parametrize("ending", ["failing checks", "a person", "a newer revision"])
def test_any_other_ending_gives_all_back_at_once_and_asks_for_the_replicas_that_were_there(ending: str) -> None:
    shop = autoscaled()
    _run_to(shop, 60)
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


def _run_to(shop: Autoscaler, weight: int) -> None:
    for _ in range(HOURLY):
        shop.run(1)
        if shop.world.status.weight == weight:
            break
    shop.run(45)


def _run_until_weightless(shop: Autoscaler) -> None:
    for _ in range(HOURLY):
        shop.run(1)
        if shop.world.status.weight == 0:
            break


def test_a_newer_revision_remembers_how_many_the_primary_had() -> None:
    shop = autoscaled()
    _run_to(shop, 60)
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


# The canary's size


def test_a_canary_does_not_shrink_with_the_primary_that_it_relieves() -> None:
    shop = autoscaled()
    for weight in (20, 40, 60):
        _run_to(shop, weight)
        canary = shop.world.canary
        assert canary
        assert canary[1] >= replicas_for(10, weight)
    assert shop.world.status.failed_checks == 0


def test_a_canary_grows_with_a_primary_that_grows() -> None:
    shop = autoscaled()
    _run_to(shop, 20)
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


# stepWeightPromotion


def test_a_promoted_primary_gets_its_traffic_back_in_the_steps_that_the_canary_asks_for() -> None:
    spec = replace(SPEC, strategy=replace(SPEC.strategy, promotion_step=25))
    world = shipped(spec=spec)
    world.until(Phase.FINALISING)
    began = world.now
    world.until(Phase.SUCCEEDED)
    assert world.decided == [20, 40, 60, 35, 10, 0]
    assert (world.now - began).total_seconds() >= 2 * spec.interval
    advanced = [told for told in world.told if " primary weight " in told]
    assert advanced == [f"Advance podinfo.shop primary weight {share}" for share in (65, 90)]
    assert world.breaches == []


def test_a_step_waits_for_a_primary_that_is_ready() -> None:
    world = shipped(spec=replace(SPEC, strategy=replace(SPEC.strategy, promotion_step=25)))
    world.run(HOURLY, until=lambda world: world.status.weight == 35)
    world.serving = 1
    world.run(40)
    assert world.status.weight == 35
    world.serving = 2
    world.run(3)
    assert world.status.weight == 10


def test_steps_are_as_small_as_the_replicas_ask_for() -> None:
    spec = replace(SLOW, interval=30, strategy=replace(SPEC.strategy, promotion_step=50))
    shop = autoscaled(spec=spec)
    shop.run(HOURLY, until=Phase.SUCCEEDED)
    assert shop.busiest() <= MOST


def test_what_is_waited_for_is_told() -> None:
    shop = autoscaled()
    shop.run(HOURLY, until=Phase.FINALISING)
    shop.run(3)
    returning = [told for told in shop.world.told if told.startswith("Returning")]
    assert len(returning) == 1
    assert "of the 10 replicas that it had" in returning[0]
