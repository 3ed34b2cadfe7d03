"""What people say besides updating: suspended, frozen, paused, let through, restarted."""

from dataclasses import replace
from datetime import timedelta

from analyzer.freezes import Freeze
from analyzer.moves import PAUSED
from analyzer.plan import SUSPENDED
from analyzer.spec import DIRECT, Spec
from analyzer.status import Outcome, Phase
from tests.analyzer.things import FAILED, SPEC, START, V1, V2, V3
from tests.analyzer.world import World, initialized, shipped

LONG = 300.0


def halfway() -> World:
    world = shipped()
    while world.status.weight < 40:
        world.run(0.25)
    return world


def unrouted(spec: Spec) -> World:
    """What waits has no route that could be split."""
    world = initialized()
    world.spec, world.obstacle, world.unrouted = spec, "no Service selects its pods", True
    world.divert(V2)
    return world


def test_a_suspended_canary_keeps_its_weight_and_says_so() -> None:
    world = halfway()
    world.spec = replace(SPEC, suspend=True)
    world.run(LONG)
    assert (world.status.weight, world.status.problem) == (40, SUSPENDED)
    assert len([text for text in world.told if SUSPENDED in text]) == 1
    world.spec = SPEC
    world.run(LONG)
    assert (world.phase(), world.live) == (Phase.SUCCEEDED, V2)


def test_a_suspended_canary_that_is_taken_back_leaves() -> None:
    world = halfway()
    world.spec = replace(SPEC, suspend=True)
    world.stash = None
    world.run(LONG)
    assert (world.phase(), world.canary, world.route) == (Phase.FAILED, None, None)
    assert world.breaches == []


def test_while_suspended_a_newer_revision_takes_the_older_ones_traffic_and_waits() -> None:
    world = halfway()
    world.spec = replace(SPEC, suspend=True)
    world.divert(V3)
    world.run(LONG)
    assert (world.phase(), world.route, world.status.problem) == (Phase.WAITING, None, SUSPENDED)


def test_in_a_freeze_an_update_waits_and_begins_when_it_is_over() -> None:
    world = initialized()
    began = START.replace(second=0)
    schedule = f"{began.minute} {began.hour} * * *"
    world.spec = replace(SPEC, freezes=(Freeze(schedule, 120.0),))
    world.divert(V2)
    world.run(60)
    assert world.phase() is Phase.WAITING
    assert world.status.problem.startswith("frozen until ")
    world.run(LONG)
    assert (world.phase(), world.live) == (Phase.SUCCEEDED, V2)
    assert world.now - START > timedelta(seconds=120)


def test_what_may_go_directly_goes_without_an_analysis_and_the_history_says_why() -> None:
    world = initialized()
    world.direct = "directly, as the namespace says, by ann (release night)"
    world.checks = FAILED
    world.divert(V2)
    world.run(30)
    assert (world.phase(), world.live, world.weights) == (Phase.SUCCEEDED, V2, [])
    assert world.status.history[-1]["message"] == f"promoted {world.direct}"


def test_what_is_held_waits_even_where_it_might_go_directly() -> None:
    world = initialized()
    world.direct, world.held = "directly, as the namespace says", "the cluster is paused"
    world.divert(V2)
    world.run(LONG)
    assert (world.phase(), world.live) == (Phase.WAITING, V1)


def test_without_a_route_it_goes_directly_where_the_policy_says_so() -> None:
    world = unrouted(SPEC)
    world.run(30)
    assert (world.phase(), world.live) == (Phase.PROGRESSING, V1)
    world.spec = replace(SPEC, without_routes=DIRECT)
    world.run(30)
    assert (world.phase(), world.live) == (Phase.SUCCEEDED, V2)
    assert "no Service selects its pods" in world.status.history[-1]["message"]


def test_a_route_that_vanishes_in_mid_canary_lets_nothing_through() -> None:
    world = halfway()
    world.spec = replace(SPEC, without_routes=DIRECT)
    world.obstacle, world.unrouted = "no Ingress sends requests", True
    world.run(LONG)
    assert world.status.ending
    assert (world.status.ending.outcome, world.ran) == (Outcome.FAILED, [V1])


def test_a_deployment_that_is_paused_in_mid_promotion_is_no_failure() -> None:
    world = shipped()
    while V2 not in world.ran:
        world.run(0.25)
    world.primary_comes_up, world.paused = False, True
    world.run(LONG)
    assert (world.phase(), world.status.problem) == (Phase.PROMOTING, PAUSED)
    world.primary_comes_up, world.paused = True, False
    world.run(LONG)
    assert (world.phase(), world.status.rejected) == (Phase.SUCCEEDED, ())


def test_a_restart_restarts_the_canary_too_and_no_analysis() -> None:
    world = halfway()
    started = world.status.started
    world.restarted = "2026-11-22T12:00:00Z"
    world.run(5)
    assert world.canary_restarted == world.restarted
    assert world.status.started == started


def test_what_the_webhook_leaves_to_the_analyzer_is_promoted_at_once_even_without_replicas() -> None:
    world = initialized(replicas=0, held="the cluster is paused")
    world.at_once = "0 replicas are wanted"
    world.divert(V2)
    world.run(30)
    assert (world.phase(), world.live, world.weights) == (Phase.SUCCEEDED, V2, [])
    assert world.status.history[-1]["message"] == "promoted directly, 0 replicas are wanted"


def test_what_is_left_to_the_analyzer_supersedes_a_canary() -> None:
    world = halfway()
    world.divert(V3)
    world.at_once = "it is proven"
    world.run(LONG)
    assert (world.phase(), world.live, world.route) == (Phase.SUCCEEDED, V3, None)
    assert V2 not in world.ran
    assert world.breaches == []


def test_a_canary_that_somebody_restarts_by_itself_goes_on() -> None:
    world = shipped()
    world.run(15)
    world.canary_restarted = "2026-01-01T00:00:15Z"
    world.run(LONG)
    assert world.phase() is Phase.SUCCEEDED
    assert world.breaches == []


def test_the_time_of_a_suspension_does_not_count_even_where_the_deployment_is_paused_after_it() -> None:
    world = shipped(comes_up=False)
    world.run(5)
    world.spec = replace(SPEC, suspend=True)
    world.run(LONG)
    world.spec, world.paused = SPEC, True
    world.run(5)
    assert world.status.ending is None


def test_a_service_that_is_away_for_a_moment_lets_nothing_through() -> None:
    world = unrouted(replace(SPEC, without_routes=DIRECT))
    world.run(3)
    world.obstacle, world.unrouted = "", False
    world.run(LONG)
    assert (world.phase(), world.breaches, world.status.waived) == (Phase.SUCCEEDED, [], "")


def test_what_gets_routes_while_the_deployment_is_paused_takes_the_analysis() -> None:
    world = unrouted(replace(SPEC, without_routes=DIRECT))
    world.run(1)
    world.paused = True
    world.run(30)
    world.obstacle, world.unrouted, world.paused = "", False, False
    world.run(LONG)
    assert (world.phase(), world.breaches, world.status.waived) == (Phase.SUCCEEDED, [], "")
