"""stepWeightPromotion: a promoted primary gets its traffic back step by step."""

from dataclasses import replace

from analyzer.status import Phase
from tests.analyzer.autoscaler import HOURLY, MOST, SLOW, autoscaled
from tests.analyzer.things import SPEC
from tests.analyzer.world import shipped


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
