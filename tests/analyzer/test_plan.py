"""The state machine, in a world of virtual time: what becomes of a revision, and what is never allowed to happen."""

from dataclasses import replace

from analyzer.status import Outcome, Phase
from analyzer.strategy import Strategy
from analyzer.wishes import Verb
from tests.analyzer.things import FAILED, NO_DATA, SPEC, V1, V2, V3
from tests.analyzer.world import World, shipped

LONG = 200.0


def test_a_canary_is_initialized_once_updates_are_certain_to_be_diverted() -> None:
    world = World()
    world.settle()
    assert (world.status.phase, world.status.guarded) == (Phase.INITIALIZED, True)
    assert world.told == ["Initialization done! podinfo.shop"]


def test_a_good_revision_is_promoted_step_by_step() -> None:
    world = shipped()
    world.run(LONG)
    assert world.phase() is Phase.SUCCEEDED
    assert (world.live, world.previous, world.stash) == (V2, None, None)
    assert [weight for weight in world.weights if weight] == [20, 40, 60]
    assert (world.canary, world.route, world.service) == (None, None, None)
    assert world.breaches == []


def test_a_bad_revision_is_thrown_away_and_the_primary_never_changes() -> None:
    world = shipped(checks=FAILED)
    world.run(LONG)
    assert world.phase() is Phase.FAILED
    assert world.ran == [V1]
    assert world.status.rejected == (V2,)
    assert world.state == "rejected"
    assert (world.canary, world.route) == (None, None)
    assert "Rolling back podinfo.shop failed checks threshold reached 2" in world.told
    assert world.breaches == []


def test_a_rejected_revision_does_not_run_again_by_itself_but_a_changed_one_does() -> None:
    world = shipped(checks=FAILED)
    world.run(LONG)
    before = len(world.weights)
    world.divert(V2)
    world.run(LONG)
    assert len(world.weights) == before
    world.divert(V3)
    world.run(10)
    assert world.status.revision == V3
    assert world.phase() is Phase.PROGRESSING


def test_a_rejected_revision_runs_again_when_asked_for_once() -> None:
    world = shipped(checks=FAILED)
    world.run(LONG)
    world.ask(Verb.RETRY, V2)
    world.run(10)
    assert world.phase() is Phase.PROGRESSING
    world.run(LONG)
    assert world.phase() is Phase.FAILED
    count = len(world.weights)
    world.run(LONG)
    assert len(world.weights) == count


def test_a_newer_revision_supersedes_the_older_one_at_weight_0() -> None:
    world = shipped()
    world.run(15)
    assert world.route
    world.divert(V3)
    world.run(LONG)
    assert world.phase() is Phase.SUCCEEDED
    assert world.ran == [V1, V3]
    assert world.breaches == []


def test_going_back_to_the_primary_cancels_the_canary_and_is_not_held_against_the_revision() -> None:
    world = shipped()
    world.run(15)
    world.stash = None
    world.run(20)
    assert world.phase() is Phase.FAILED
    assert world.status.ending
    assert world.status.ending.outcome is Outcome.CANCELLED
    assert world.status.rejected == ()
    assert (world.canary, world.route, world.ran) == (None, None, [V1])
    world.divert(V2)
    world.run(LONG)
    assert world.phase() is Phase.SUCCEEDED
    assert world.breaches == []


def test_a_primary_that_changed_under_the_canary_ends_it_and_does_not_start_it_anew() -> None:
    world = shipped()
    world.run(15)
    world.live = V3
    world.run(LONG)
    assert world.phase() is Phase.FAILED
    assert V2 not in world.ran
    assert world.canary is None
    assert world.breaches == []


def test_a_canary_that_never_gets_ready_is_given_up_at_the_progress_deadline() -> None:
    world = shipped(comes_up=False)
    world.run(LONG)
    assert world.phase() is Phase.FAILED
    assert world.weights == [0]
    assert world.status.ending
    assert "exceeded its progress deadline" in world.status.ending.message


def test_a_primary_that_does_not_come_up_gets_its_old_template_back() -> None:
    world = shipped(primary_comes_up=False)
    world.run(LONG)
    assert world.phase() is Phase.FAILED
    assert world.ran == [V1, V2, V1]
    assert (world.live, world.stash, world.previous) == (V1, V2, None)
    assert world.status.rejected == (V2,)
    assert world.breaches == []


def test_while_the_primary_is_taken_back_the_canary_goes_on_serving() -> None:
    world = shipped(primary_comes_up=False)
    while V2 not in world.ran:
        world.run(1)
    while world.live == V2:
        assert world.route == 60
        world.run(1)


def test_no_data_halts_and_counts_as_no_failure_until_the_deadline() -> None:
    world = shipped(checks=NO_DATA)
    world.run(50)
    assert world.phase() is Phase.PROGRESSING
    assert (world.status.failed_checks, world.route) == (0, 20)
    assert world.status.problem == NO_DATA.text
    world.run(40)
    assert world.phase() is Phase.FAILED


def test_data_that_comes_late_lets_the_canary_go_on() -> None:
    world = shipped(checks=NO_DATA)
    world.run(30)
    world.checks = replace(NO_DATA, result="passed")  # type: ignore[arg-type]
    world.run(LONG)
    assert world.phase() is Phase.SUCCEEDED


def test_what_the_api_server_would_refuse_at_promotion_is_rejected_before_anything_is_created() -> None:
    world = shipped(refused="spec.template.spec.volumes: missing")
    world.run(20)
    assert world.phase() is Phase.FAILED
    assert world.weights == []
    assert world.status.ending
    assert "spec.template.spec.volumes: missing" in world.status.ending.message


def test_a_revision_that_comes_during_the_promotion_waits_for_its_end_and_takes_its_own_turn() -> None:
    world = shipped()
    while V2 not in world.ran:
        world.run(1)
    world.divert(V3)
    world.run(20)
    assert V2 in {entry["revision"] for entry in world.status.history}
    world.run(LONG)
    assert world.ran == [V1, V2, V3]
    assert world.phase() is Phase.SUCCEEDED
    assert world.breaches == []


def test_nothing_starts_without_replicas_and_everything_when_there_are_some_again() -> None:
    world = shipped(replicas=0)
    world.run(30)
    assert world.weights == []
    world.replicas = 2
    world.run(15)
    assert world.route
    world.replicas = 0
    world.run(20)
    assert (world.canary, world.stash) == (None, V2)
    world.replicas = 2
    world.run(LONG)
    assert world.phase() is Phase.SUCCEEDED


def test_a_deleted_deployment_ends_its_canary() -> None:
    world = shipped()
    world.run(15)
    world.deleted = True
    world.run(30)
    assert not world.status.phase.in_flight
    assert world.canary is None


def test_the_canary_is_as_big_as_its_next_weight_asks_for() -> None:
    world = shipped(replicas=10)
    world.run(8)
    assert world.canary
    assert world.canary[1] == 4


def test_the_canary_takes_the_steps_that_are_listed() -> None:
    world = shipped(spec=replace(SPEC, strategy=Strategy((40, 50))))
    world.run(LONG)
    assert max(world.weights) == 50


def test_a_route_that_was_edited_by_hand_is_put_right() -> None:
    world = shipped()
    world.run(8)
    assert world.route == 20
    world.route = 90
    world.settle()
    assert world.route == 20


def test_a_revision_is_not_judged_by_what_queries_still_see_of_the_one_before() -> None:
    world = shipped(spec=replace(SPEC, longest_window=40.0), checks=FAILED)
    world.run(15)
    assert world.status.failed_checks == 1
    world.divert(V3)
    world.run(40)
    assert (world.status.revision, world.status.failed_checks, world.route) == (V3, 0, 20)
    world.checks = World().checks
    world.run(LONG)
    assert world.phase() is Phase.SUCCEEDED


def test_the_service_that_the_canary_asks_for_is_there_before_anything_else() -> None:
    world = World(served=False)
    world.settle()
    assert world.served
    assert world.phase() is Phase.INITIALIZED
