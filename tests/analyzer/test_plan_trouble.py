"""What goes wrong with a canary, and around it: parts that vanish, processes and clocks that stop."""

from dataclasses import replace
from datetime import timedelta

from analyzer.status import Phase, Status
from analyzer.strategy import Strategy
from tests.analyzer.cuts import Cut, Way
from tests.analyzer.things import FAILED, SPEC, V1, V2, V3
from tests.analyzer.world import World, shipped

LONG = 200.0


def test_a_rejected_revision_that_replaces_a_running_one_does_not_run_again_by_itself() -> None:
    world = shipped(checks=FAILED)
    world.until(Phase.FAILED)
    world.divert(V3)
    world.run(8)
    world.divert(V2)
    weights = len([weight for weight in world.weights if weight])
    world.run(LONG)
    assert not world.status.phase.in_flight
    assert len([weight for weight in world.weights if weight]) == weights
    assert (world.canary, world.state) == (None, "rejected")


def test_a_promotion_whose_canary_object_was_made_anew_is_done_before_the_next_one() -> None:
    world = shipped()
    while V2 not in world.ran:
        world.run(0.25)
    world.status = Status()
    world.run(30)
    assert (world.previous, world.canary, world.route) == (None, None, None)
    world.divert(V3)
    world.run(LONG)
    assert (world.phase(), world.live) == (Phase.SUCCEEDED, V3)
    assert world.breaches == []


def test_a_canary_that_dies_under_traffic_fails_its_checks_without_any_metric() -> None:
    world = shipped()
    world.run(15)
    world.comes_up = False
    world.run(SPEC.threshold * SPEC.interval + 10)
    assert not world.route
    world.run(20)
    assert world.phase() is Phase.FAILED
    assert "not ready" in world.status.history[-1]["message"]


def test_no_route_is_made_anew_for_a_canary_that_is_not_ready() -> None:
    world = shipped()
    world.run(6)
    world.comes_up, world.route = False, None
    world.run(5)
    assert world.route is None
    world.comes_up = True
    world.run(1)
    assert world.route == 20
    assert world.breaches == []


def test_a_clock_that_is_set_back_holds_nothing_up() -> None:
    world = shipped()
    world.run(15)
    world.set_clock_back(timedelta(days=1))
    world.run(60)
    assert world.phase() is Phase.SUCCEEDED


def test_no_deadline_runs_while_nobody_looks() -> None:
    for phase in (Phase.PROGRESSING, Phase.PROMOTING):
        world = shipped()
        world.until(phase)
        world.cuts[world.effects + 1] = Cut(Way.DIES_BEFORE, 10 * SPEC.progress_deadline)
        world.run(LONG + 10 * SPEC.progress_deadline)
        assert (world.phase(), world.status.rejected, world.breaches) == (Phase.SUCCEEDED, (), [])


def test_a_failed_canary_whose_rest_is_swept_up_stays_failed() -> None:
    world = shipped(checks=FAILED)
    world.until(Phase.FAILED)
    before = world.status
    world.service = V2
    world.run(20)
    assert world.service is None
    assert (world.phase(), world.status.ending, world.status.history) == (Phase.FAILED, before.ending, before.history)


def test_a_canary_whose_canary_object_is_deleted_answers_its_share_to_the_end() -> None:
    world = shipped()
    while not world.route:
        world.run(0.25)
    world.status = Status()
    while world.route:
        assert world.service == V2
        world.run(0.25)
    assert world.breaches == []


def test_a_new_canary_object_is_not_initialized_by_sweeping_up_after_an_old_one() -> None:
    world = World(service=V2)
    world.settle()
    world.run(0.5)
    assert world.phase() is not Phase.INITIALIZED
    world.run(20)
    assert (world.phase(), world.status.guarded) == (Phase.INITIALIZED, True)
    assert world.told == ["Initialization done! podinfo.shop"]


def test_traffic_that_comes_back_by_hand_during_the_drain_is_drained_again() -> None:
    world = shipped()
    world.run(15)
    world.stash = None
    world.run(5)
    assert (world.route, world.status.phase) == (0, Phase.PROGRESSING)
    world.route = 50
    world.run(3)
    assert world.canary
    world.run(20)
    assert world.canary is None
    assert world.breaches == []


def test_routes_that_were_away_bring_requests_for_a_whole_interval_before_these_are_judged() -> None:
    world = shipped(spec=replace(SPEC, strategy=Strategy((20,))))
    while not world.route:
        world.run(0.25)
    world.run(9)
    world.route, world.service = None, None
    world.run(2)
    assert world.ran == [V1]
    world.run(7)
    assert world.ran == [V1]
    world.run(LONG)
    assert world.phase() is Phase.SUCCEEDED


def test_a_canary_that_somebody_deletes_gets_no_requests_until_it_is_there_again() -> None:
    world = shipped()
    world.run(15)
    assert world.weights[-1]
    world.canary = None
    world.run(1)
    assert not world.weights[-1]
    world.run(LONG)
    assert (world.phase(), world.live) == (Phase.SUCCEEDED, V2)
