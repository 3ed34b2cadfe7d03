"""What is in the way: a Canary that cannot be carried out, evidence that cannot be had, writes that are refused."""

from dataclasses import replace

import pytest

from analyzer.actions import Ask, Label, Route, RunCanary
from analyzer.status import Phase
from analyzer.strategy import Strategy
from tests.analyzer.things import FAILED, NO_DATA, PASSED, SPEC, UNMEASURED, V1, V2
from tests.analyzer.world import initialized, shipped

LONG = 200.0


def test_a_canary_object_broken_in_mid_run_takes_the_traffic_away_and_starts_anew_when_mended() -> None:
    world = shipped()
    world.run(15)
    assert world.route
    world.unusable = "spec.analysis.stepWeight: 0 is no step"
    world.run(20)
    assert [world.canary, world.route, world.stash] == [None, None, V2]
    assert world.status.problem == world.unusable
    world.unusable = ""
    world.run(LONG)
    assert world.phase() is Phase.SUCCEEDED
    assert world.breaches == []


def test_an_update_that_comes_to_a_canary_object_that_is_broken_already_is_told_why_it_waits() -> None:
    world = initialized()
    world.unusable = "spec.analysis.stepWeight: 0 is no step"
    world.run(5)
    assert world.told.count(f"Halt podinfo.shop: {world.unusable}") == 1
    world.divert(V2)
    world.run(5)
    assert world.told.count(f"Halt podinfo.shop: {world.unusable}") == 2
    assert world.phase() is Phase.WAITING


def test_what_cannot_be_measured_is_known_before_there_is_any_traffic_and_told_on_the_deployment() -> None:
    world = shipped(checks=UNMEASURED)
    world.run(30)
    assert (world.status.problem, world.status.failed_checks) == (UNMEASURED.text, 0)
    assert world.told.count(f"Halt podinfo.shop advancement {UNMEASURED.text}") == 1
    assert not any(world.weights)
    world.checks = PASSED
    world.run(LONG)
    assert world.phase() is Phase.SUCCEEDED
    assert world.breaches == []


def test_what_only_a_rehearsal_shows_to_be_missing_is_waited_for_without_a_write() -> None:
    world = shipped(unmeasurable="there is no MetricTemplate latency")
    world.run(10 * LONG)
    assert (world.phase(), world.status.problem, world.canary) == (Phase.PROGRESSING, world.unmeasurable, None)
    world.unmeasurable = ""
    world.run(LONG)
    assert world.phase() is Phase.SUCCEEDED


def test_an_obstacle_may_be_there_for_long_and_what_waits_goes_on_once_it_is_gone() -> None:
    world = shipped(obstacle="no Ingress leads to it")
    world.run(10 * LONG)
    assert (world.phase(), world.status.problem, world.canary) == (Phase.PROGRESSING, world.obstacle, None)
    world.obstacle = ""
    world.run(LONG)
    assert world.phase() is Phase.SUCCEEDED
    assert world.breaches == []


def test_an_obstacle_is_looked_at_more_and_more_rarely_and_at_once_when_a_watch_says_that_it_is_gone() -> None:
    world = shipped(obstacle="no Ingress leads to it")
    world.run(3600)
    looks = 0
    for _ in range(60):
        before = world.leader.due
        world.run(10)
        looks += world.leader.due != before
    assert 0 < looks <= 6
    world.obstacle = ""
    world.run(1)
    assert world.canary


def test_an_obstacle_does_not_wait_for_ever_where_routes_lead_to_a_canary_that_was_deleted() -> None:
    world = shipped()
    world.run(15)
    assert world.weights[-1]
    world.canary, world.obstacle = None, "there is no MetricTemplate latency"
    world.run(1)
    assert not world.weights[-1]
    world.run(LONG)
    assert (world.phase(), world.route) == (Phase.FAILED, None)


def test_a_measurement_that_never_answers_is_not_waited_for_for_ever() -> None:
    world = shipped()
    world.run(15)
    world.answers = False
    world.run(SPEC.progress_deadline - 10)
    assert world.status.ending is None
    world.run(LONG)
    assert (world.phase(), world.route, world.ran) == (Phase.FAILED, None, [V1])
    assert "exceeded its progress deadline" in world.status.history[-1]["message"]


def test_what_is_put_right_late_in_a_long_interval_is_no_end() -> None:
    world = shipped(spec=replace(SPEC, interval=300))
    world.run(200)
    assert world.route == 20
    world.edit_route(90)
    world.run(50)
    assert (world.route, world.status.ending) == (20, None)


def test_one_check_without_data_is_no_end_however_long_the_interval_is() -> None:
    world = shipped(spec=replace(SPEC, interval=90, strategy=Strategy((20,))), checks=NO_DATA)
    world.run(100)
    assert (world.status.problem, world.status.ending) == (NO_DATA.text, None)
    world.checks = PASSED
    world.run(LONG)
    assert world.phase() is Phase.SUCCEEDED


@pytest.mark.parametrize("refused", [Ask, Label, Route])
def test_what_the_api_server_refuses_is_not_asked_for_all_the_time(refused: type) -> None:
    world = shipped(checks=FAILED if refused is Label else PASSED, refusing=(refused,))
    world.run(SPEC.progress_deadline)
    assert world.effects < 60
    world.refusing = ()
    world.run(LONG)
    assert not world.status.phase.in_flight
    assert (world.canary, world.route, world.previous) == (None, None, None)


@pytest.mark.parametrize("refused", [Ask, Label, Route, RunCanary])
def test_a_refusal_that_is_worded_anew_each_time_is_still_the_same(refused: type) -> None:
    world = shipped(checks=FAILED if refused is Label else PASSED, refusing=(refused,))
    world.varying = ": dial tcp 10.0.0.1:{}: connection reset by peer"
    world.run(2 * SPEC.progress_deadline)
    assert 0 < world.refusals < 30
    assert world.effects < 60


def test_a_refused_label_keeps_no_canary_from_its_end() -> None:
    world = shipped(checks=FAILED, refused="a policy forbids it", refusing=(Label,))
    world.run(30)
    assert world.phase() is Phase.FAILED
