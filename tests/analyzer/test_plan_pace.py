"""The pace of an analysis: how long it takes, what it waits for, and when it begins anew."""

from dataclasses import replace
from datetime import timedelta

from analyzer.actions import Ask
from analyzer.plan import plan
from analyzer.status import Phase
from analyzer.strategy import Strategy
from tests.analyzer.things import SPEC, V1, V2
from tests.analyzer.world import shipped

LONG = 200.0


def test_the_analysis_takes_its_intervals_and_little_more() -> None:
    world = shipped()
    begun = world.now
    while world.phase() is not Phase.SUCCEEDED:
        world.run(1)
    steps = 3 * SPEC.interval
    assert world.now - begun < timedelta(seconds=steps + 20)


def test_a_changed_analysis_starts_anew_from_no_weight() -> None:
    world = shipped(spec=replace(SPEC, terms="strict"))
    world.run(25)
    assert world.status.weight == 60
    world.spec = replace(world.spec, terms="stricter", strategy=Strategy((30, 60)))
    world.run(LONG)
    assert (world.phase(), world.live) == (Phase.SUCCEEDED, V2)
    assert [weight for weight in world.weights if weight] == [20, 40, 60, 30, 60]
    assert "New revision detected! Restarting analysis for podinfo.shop" in world.told
    assert world.breaches == []


def test_the_canary_gets_its_first_share_when_routers_have_had_time_to_see_its_pods() -> None:
    world = shipped(boots_in=3.0)
    world.run(3.75)
    assert world.route == 0
    world.run(1)
    assert world.route == 20


def test_the_primary_gets_all_back_when_routers_have_had_time_to_see_its_new_pods() -> None:
    world = shipped()
    while not (world.live == V2 and world.now >= world.rolling_until):
        assert world.route != 0 or world.live == V1
        world.run(0.25)
    world.run(0.5)
    assert world.route == 60
    world.run(1)
    assert world.route == 0


def test_a_primary_that_is_ready_for_a_moment_only_gets_nothing_back_yet() -> None:
    world = shipped()
    while not (world.live == V2 and world.now >= world.rolling_until):
        world.run(0.25)
    world.rolling_until = world.now + timedelta(seconds=5)
    world.run(4)
    assert world.route == 60
    world.run(4)
    assert (world.route, world.breaches) == (0, [])


def test_a_promotion_that_was_refused_for_a_moment_is_asked_for_again_soon() -> None:
    world = shipped(spec=replace(SPEC, interval=60, progress_deadline=600), refusing=(Ask,))
    while world.phase() is not Phase.PROMOTING:
        world.run(0.25)
    world.run(2)
    world.refusing = ()
    world.run(6)
    assert world.ran == [V1, V2]


def test_a_process_with_nothing_to_do_writes_nothing_when_it_begins() -> None:
    """One that dies with its first write would get no further, nor would any after it."""
    world = shipped()
    world.run(9)
    assert world.phase() is Phase.PROGRESSING
    now = world.now + timedelta(seconds=0.5)
    assert plan(world.spec, world.status, replace(world.seen(), since=now), now).status == world.status
