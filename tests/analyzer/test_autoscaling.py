"""A primary that has an autoscaler: its traffic comes back as its pods do."""

from typing import Any

import pytest

from analyzer import exits
from analyzer.status import Phase
from tests.analyzer.autoscaler import HOURLY, MOST, SLOW, autoscaled
from tests.analyzer.world import shipped

KINDS = {
    "that measures its pods": {"per_pod": True},
    "that measures all requests, as KEDA does": {"per_pod": False},
    "that waits before it scales down": {"per_pod": True, "kept": 60},
    "that waits, and measures all requests": {"per_pod": False, "kept": 60},
}


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


def test_what_is_waited_for_is_told() -> None:
    shop = autoscaled()
    shop.run(HOURLY, until=Phase.FINALISING)
    shop.run(3)
    returning = [told for told in shop.world.told if told.startswith("Returning")]
    assert len(returning) == 1
    assert "of the 10 replicas that it had" in returning[0]
