"""A pause: nothing new begins, and nothing else is any different."""

from analyzer.pauses import PAUSED, pause
from analyzer.status import Phase
from analyzer.wishes import Verb
from tests.analyzer.things import V2, V3
from tests.analyzer.world import shipped

LONG = 200.0
HELD = "the namespace is paused by alice"


def test_what_comes_in_a_pause_waits_and_begins_when_it_is_over() -> None:
    world = shipped(held=HELD)
    world.run(LONG)
    assert (world.phase(), world.status.problem, world.canary) == (Phase.WAITING, HELD, None)
    world.held = ""
    world.run(LONG)
    assert (world.phase(), world.live) == (Phase.SUCCEEDED, V2)


def test_what_is_on_its_way_goes_on_and_its_successor_waits() -> None:
    world = shipped()
    world.run(15)
    world.held = HELD
    world.run(LONG)
    assert (world.phase(), world.live) == (Phase.SUCCEEDED, V2)
    world.held = ""
    world.divert(V3)
    world.run(15)
    world.held = HELD
    world.divert(V2)
    world.run(LONG)
    assert (world.phase(), world.canary, world.route) == (Phase.WAITING, None, None)
    assert world.breaches == []


def test_a_pause_stops_neither_a_fix_nor_who_promotes_by_hand() -> None:
    down = shipped(held=HELD)
    down.down_since = down.now
    down.run(65)
    assert down.live == V2
    urgent = shipped(held=HELD)
    urgent.run(5)
    urgent.ask(Verb.PROMOTE, V2)
    urgent.run(30)
    assert urgent.live == V2


def marked(note: str | None) -> dict[str, object]:
    return {"metadata": {"name": "shop", "annotations": {} if note is None else {PAUSED: note}}}


def test_the_pause_of_detours_own_namespace_is_the_clusters() -> None:
    assert pause(marked(None), marked(None)) == pause(None, None) == ""
    assert pause(marked("by ann (freeze)"), None).startswith("the namespace is paused by ann (freeze): ")
    assert pause(marked("by ann"), marked("by bob")).startswith("the cluster is paused by bob: ")
    assert pause(marked(""), None).startswith("the namespace is paused: ")
