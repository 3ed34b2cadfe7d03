"""What happens to the primary while something waits: it serves nobody, it is paused, it is taken back."""

from dataclasses import replace

from analyzer.status import Outcome, Phase
from tests.analyzer.things import FAILED, SPEC, V1, V2
from tests.analyzer.world import initialized, shipped

LONG = 200.0


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


def test_a_primary_that_goes_down_under_a_canary_gets_the_new_revision_too_and_the_history_says_why() -> None:
    world = shipped(spec=replace(SPEC, interval=120))
    world.run(10)
    world.down_since = world.now
    world.run(62)
    assert world.ran == [V1, V2]
    world.down_since = None
    world.run(LONG)
    assert world.status.history[-1]["message"] == "promoted at once, the primary was down"


def test_a_rejected_revision_never_replaces_a_primary_that_is_down() -> None:
    world = shipped(checks=FAILED)
    world.until(Phase.FAILED)
    world.down_since = world.now
    world.run(LONG)
    assert world.ran == [V1]


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
    world.until(Phase.FINALISING)
    world.change(V1)
    world.run(30)
    assert world.phase() is Phase.FAILED
    assert world.status.ending
    assert world.status.ending.outcome is Outcome.CANCELLED
    assert world.status.promoted == ""


def test_a_promotion_that_somebody_cut_across_is_done_with_before_the_next() -> None:
    world = shipped()
    world.run(LONG, until=lambda world: world.live == V2)
    world.live = V1
    world.ran.append(V1)
    world.divert(V2)
    world.run(LONG)
    assert (world.phase(), world.live, world.previous, world.breaches) == (Phase.SUCCEEDED, V2, None, [])
