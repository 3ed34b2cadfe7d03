"""What a person asks for: another try, promotion at once, giving up; each for one revision, and heard once."""

from analyzer.status import Outcome, Phase
from analyzer.wishes import ASK, ASKED_BY, REASON, Verb, Wish, annotations_for, wish_of
from tests.analyzer.things import FAILED, V1, V2, V3
from tests.analyzer.world import World, shipped

LONG = 200.0
WHOSE = "by alice: it is urgent"


def last(world: World) -> tuple[str, str]:
    """Outcome and message of the last entry of the history."""
    entry = world.status.history[-1]
    return entry["outcome"], entry["message"]


def test_an_abort_in_mid_analysis_is_a_rollback_that_is_remembered() -> None:
    world = shipped()
    world.run(15)
    world.ask(Verb.ABORT, V2)
    world.run(LONG)
    assert (world.phase(), last(world)) == (Phase.FAILED, (Outcome.ABORTED, f"aborted {WHOSE}"))
    assert f"Rolling back podinfo.shop aborted {WHOSE}" in world.told
    assert (world.ran, world.status.rejected, world.state) == ([V1], (V2,), "rejected")
    assert world.breaches == []


def test_an_abort_while_the_primary_is_switched_takes_it_back() -> None:
    world = shipped()
    while world.live != V2:
        world.run(1)
    world.ask(Verb.ABORT, V2)
    world.run(LONG)
    assert (world.live, world.status.rejected) == (V1, (V2,))
    assert world.breaches == []


def test_what_only_waits_can_be_aborted_too() -> None:
    world = shipped(paused=True)
    world.run(5)
    world.ask(Verb.ABORT, V2)
    world.run(30)
    assert (world.phase(), last(world)[0]) == (Phase.FAILED, Outcome.ABORTED)
    assert (world.ran, world.weights) == ([V1], [])


def test_an_aborted_revision_can_be_tried_again() -> None:
    world = shipped()
    world.run(15)
    world.ask(Verb.ABORT, V2)
    world.run(LONG)
    world.ask(Verb.RETRY, V2)
    world.run(LONG)
    assert (world.phase(), world.live) == (Phase.SUCCEEDED, V2)


def test_a_promotion_by_hand_waives_the_rest_of_the_analysis_and_says_whose_it_is() -> None:
    world = shipped(checks=FAILED)
    world.run(8)
    world.ask(Verb.PROMOTE, V2)
    world.run(30)
    assert (world.phase(), world.live) == (Phase.SUCCEEDED, V2)
    assert last(world) == (Outcome.SUCCEEDED, f"promoted {WHOSE}")
    assert f"Promoting podinfo.shop at once, {WHOSE}" in world.told
    assert world.breaches == []


def test_a_rejected_revision_can_be_promoted_by_hand() -> None:
    world = shipped(checks=FAILED)
    world.run(LONG)
    assert world.phase() is Phase.FAILED
    world.ask(Verb.PROMOTE, V2)
    world.run(30)
    assert (world.phase(), world.live) == (Phase.SUCCEEDED, V2)


def test_what_cannot_run_as_a_canary_can_be_promoted_by_hand() -> None:
    world = shipped(obstacle="no Ingress leads to it")
    world.run(5)
    world.ask(Verb.PROMOTE, V2)
    world.run(30)
    assert (world.phase(), world.live) == (Phase.SUCCEEDED, V2)


def test_a_wish_for_one_revision_never_lands_on_the_next() -> None:
    world = shipped(checks=FAILED)
    world.run(8)
    world.ask(Verb.PROMOTE, V2)
    world.divert(V3)
    world.run(LONG)
    assert world.ran == [V1]
    assert world.status.rejected == (V3,)


def test_a_wish_is_heard_once() -> None:
    world = shipped(checks=FAILED)
    world.run(8)
    world.ask(Verb.PROMOTE, V2)
    world.run(30)
    world.change(V1)
    world.divert(V2)
    world.run(LONG)
    assert (world.live, world.phase()) == (V1, Phase.FAILED)


def test_a_wish_is_read_as_it_is_written() -> None:
    written = annotations_for(Verb.PROMOTE, V2, "t-1", by="alice", reason="it is urgent")
    wish = wish_of({"metadata": {"annotations": written}})
    assert wish == Wish(f"promote {V2} t-1", Verb.PROMOTE, V2, "alice", "it is urgent")
    assert annotations_for(Verb.ABORT, V2, "t-2", by="bob") == {ASK: f"abort {V2} t-2", ASKED_BY: "bob", REASON: None}


def test_what_is_no_wish_is_ignored() -> None:
    for text in (
        "",
        "promote",
        "promote 123 t",
        f"destroy {V2} t",
        f"promote {V2}",
        f"promote {V2} a b",
        f"abort {V2} t\n",
    ):
        assert wish_of({"metadata": {"annotations": {ASK: text}}}) is None
    assert wish_of({"metadata": {}}) is None
