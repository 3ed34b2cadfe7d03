"""What goes wrong around a rollout, and what has been seen to go wrong in the plan itself."""

from dataclasses import replace
from datetime import timedelta

import pytest

from analyzer.actions import Ask, Label, Route, RunCanary
from analyzer.status import Outcome, Phase, Status
from tests.analyzer.cuts import Cut, Way
from tests.analyzer.things import FAILED, NO_DATA, PASSED, SPEC, UNMEASURED, V1, V2, V3
from tests.analyzer.world import World, initialized, shipped

LONG = 200.0


def until(world: World, phase: Phase) -> None:
    for _ in range(400):
        if world.phase() is phase:
            return
        world.run(0.25)
    raise AssertionError(f"never {phase}: {world.status}")


def test_a_rejected_revision_that_replaces_a_running_one_does_not_run_again_by_itself() -> None:
    world = shipped(checks=FAILED)
    until(world, Phase.FAILED)
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


def test_a_primary_that_serves_nobody_gets_what_waits_after_a_minute_and_not_before() -> None:
    world = initialized()
    world.down_since = world.now
    world.divert(V2)
    world.run(55)
    assert world.ran == [V1]
    world.run(6)
    assert world.ran == [V1, V2]
    world.down_since = None
    world.run(30)
    assert world.phase() is Phase.SUCCEEDED
    assert world.breaches == []


def test_a_primary_that_goes_down_under_a_canary_gets_the_new_revision_too() -> None:
    world = shipped(spec=replace(SPEC, interval=120))
    world.run(10)
    world.down_since = world.now
    world.run(62)
    assert world.ran == [V1, V2]


def test_a_rejected_revision_never_replaces_a_primary_that_is_down() -> None:
    world = shipped(checks=FAILED)
    until(world, Phase.FAILED)
    world.down_since = world.now
    world.run(LONG)
    assert world.ran == [V1]


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


def test_an_obstacle_may_be_there_for_long_and_what_waits_goes_on_once_it_is_gone() -> None:
    world = shipped(obstacle="no Ingress leads to it")
    world.run(10 * LONG)
    assert (world.phase(), world.status.problem, world.canary) == (Phase.PROGRESSING, world.obstacle, None)
    world.obstacle = ""
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
        until(world, phase)
        world.cuts[world.effects + 1] = Cut(Way.DIES_BEFORE, 10 * SPEC.progress_deadline)
        world.run(LONG + 10 * SPEC.progress_deadline)
        assert (world.phase(), world.status.rejected, world.breaches) == (Phase.SUCCEEDED, (), [])


def test_the_history_of_what_was_promoted_without_all_its_checks_says_so() -> None:
    world = shipped(spec=replace(SPEC, interval=120))
    world.run(10)
    world.down_since = world.now
    world.run(62)
    world.down_since = None
    world.run(LONG)
    assert world.status.history[-1]["message"] == "promoted at once, the primary was down"


def test_a_failed_canary_whose_rest_is_swept_up_stays_failed() -> None:
    world = shipped(checks=FAILED)
    until(world, Phase.FAILED)
    before = world.status
    world.service = True
    world.run(20)
    assert world.service is False
    assert (world.phase(), world.status.ending, world.status.history) == (Phase.FAILED, before.ending, before.history)


def test_a_new_canary_object_is_not_initialized_by_sweeping_up_after_an_old_one() -> None:
    world = World(service=True)
    world.settle()
    world.run(0.5)
    assert world.phase() is not Phase.INITIALIZED
    world.run(20)
    assert (world.phase(), world.status.guarded) == (Phase.INITIALIZED, True)
    assert world.told == ["Initialization done! podinfo.shop"]


def test_a_paused_deployment_is_promoted_when_it_is_resumed() -> None:
    world = shipped()
    world.run(15)
    world.paused = True
    world.run(LONG)
    assert (world.phase(), world.route, world.ran) == (Phase.PROGRESSING, 60, [V1])
    world.paused = False
    world.run(30)
    assert world.phase() is Phase.SUCCEEDED


def test_what_was_undone_before_the_promotion_was_over_has_not_succeeded() -> None:
    world = shipped()
    until(world, Phase.FINALISING)
    world.change(V1)
    world.run(30)
    assert world.phase() is Phase.FAILED
    assert world.status.ending
    assert world.status.ending.outcome is Outcome.CANCELLED
    assert world.status.promoted == ""


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


def test_a_measurement_that_never_answers_is_not_waited_for_for_ever() -> None:
    world = shipped()
    world.run(15)
    world.answers = False
    world.run(SPEC.progress_deadline - 10)
    assert world.status.ending is None
    world.run(LONG)
    assert (world.phase(), world.route, world.ran) == (Phase.FAILED, None, [V1])
    assert "exceeded its progress deadline" in world.status.history[-1]["message"]


def test_one_check_without_data_is_no_end_however_long_the_interval_is() -> None:
    world = shipped(spec=replace(SPEC, interval=90, steps=(20,)), checks=NO_DATA)
    world.run(100)
    assert (world.status.problem, world.status.ending) == (NO_DATA.text, None)
    world.checks = PASSED
    world.run(LONG)
    assert world.phase() is Phase.SUCCEEDED


def test_a_refused_label_keeps_no_canary_from_its_end() -> None:
    world = shipped(checks=FAILED, refused="a policy forbids it", refusing=(Label,))
    world.run(30)
    assert world.phase() is Phase.FAILED


def test_what_only_a_rehearsal_shows_to_be_missing_is_waited_for_without_a_write() -> None:
    world = shipped(unmeasurable="there is no MetricTemplate latency")
    world.run(10 * LONG)
    assert (world.phase(), world.status.problem, world.canary) == (Phase.PROGRESSING, world.unmeasurable, None)
    world.unmeasurable = ""
    world.run(LONG)
    assert world.phase() is Phase.SUCCEEDED


def test_an_obstacle_does_not_wait_for_ever_where_routes_lead_to_a_canary_that_was_deleted() -> None:
    world = shipped()
    world.run(15)
    assert world.weights[-1]
    world.canary, world.obstacle = None, "there is no MetricTemplate latency"
    world.run(1)
    assert not world.weights[-1]
    world.run(LONG)
    assert (world.phase(), world.route) == (Phase.FAILED, None)


def test_routes_that_were_away_bring_requests_for_a_whole_interval_before_these_are_judged() -> None:
    world = shipped(spec=replace(SPEC, steps=(20,)))
    while not world.route:
        world.run(0.25)
    world.run(9)
    world.route, world.service = None, False
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
