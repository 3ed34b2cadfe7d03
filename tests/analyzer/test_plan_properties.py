"""Whatever happens, in whatever order: nothing unproven is promoted, no request is cut off, and it comes to rest."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analyzer.actions import Ask, Guard, Label, RemoveCanary, Route, RunCanary, Unroute
from analyzer.seen import UNCLEAR
from analyzer.status import Phase, Status
from analyzer.strategy import Strategy
from analyzer.wishes import Verb
from tests.analyzer.cuts import LONG as DOWN
from tests.analyzer.cuts import Cut
from tests.analyzer.cutting import EVERY_CUT
from tests.analyzer.things import FAILED, GATED, NO_DATA, OPEN, PASSED, SHUT, SILENT, SPEC, V1, V2, V3
from tests.analyzer.world import World, initialized

LONGEST = 900.0
SHORTER = replace(SPEC, interval=1, strategy=Strategy((20, 30)), terms="short")
PAUSES = (0.0, 0.5, 2.0, 7.0, 15.0, 40.0, 75.0)  # seconds before an event


def _set(**values: object) -> Callable[[World], None]:
    def act(world: World) -> None:
        for name, value in values.items():
            setattr(world, name, value)

    return act


def _recreate(world: World) -> None:
    """The Deployment is deleted, and is there again under its name: with neither label nor stash of ours."""
    world.delete()
    world.deleted = False


def _down(world: World) -> None:
    world.down_since = world.now


def _canary_lost(world: World) -> None:
    world.canary = None


def _only_edited(world: World) -> None:
    """The primary's template is changed past the webhook, and what waits stays."""
    world.live = V3
    world.ran.append(V3)


EVENTS: dict[str, Callable[[World], None]] = {
    "update to V1": lambda world: world.update(V1),
    "update to V2": lambda world: world.update(V2),
    "update to V3": lambda world: world.update(V3),
    "changed directly": lambda world: world.change(V3),
    "changed past the webhook": _only_edited,
    "no replicas": _set(replicas=0),
    "replicas": _set(replicas=2),
    "many replicas": _set(replicas=10),
    "paused": _set(paused=True),
    "resumed": _set(paused=False),
    "down": _down,
    "up": _set(down_since=None),
    "checks pass": _set(checks=PASSED),
    "checks fail": _set(checks=FAILED),
    "no data": _set(checks=NO_DATA),
    "gate added": lambda world: setattr(world, "spec", replace(world.spec, gates=GATED.gates, terms="gated")),
    "gate taken away": lambda world: setattr(world, "spec", replace(world.spec, gates=(), terms="")),
    "gate opened": _set(gate=OPEN),
    "gate shut": _set(gate=SHUT),
    "gate silent": _set(gate=SILENT),
    "canary unready": _set(comes_up=False),
    "canary ready": _set(comes_up=True),
    "new primaries do not come up": _set(primary_comes_up=False),
    "new primaries come up": _set(primary_comes_up=True),
    "promotion would be refused": _set(refused="a policy forbids it"),
    "promotion would be accepted": _set(refused=""),
    "namespace paused": _set(held="the namespace is paused"),
    "namespace resumed": _set(held=""),
    "no place": _set(queued="queued, place 1"),
    "a place": _set(queued=""),
    "obstacle": _set(obstacle="no Ingress"),
    "no obstacle": _set(obstacle=""),
    "Canary broken": _set(unusable="stepWeight"),
    "Canary mended": _set(unusable=""),
    "shorter interval": lambda world: setattr(world, "spec", SHORTER),
    "suspended": lambda world: setattr(world, "spec", replace(world.spec, suspend=True)),
    "not suspended": lambda world: setattr(world, "spec", replace(world.spec, suspend=False)),
    "Canary made anew": lambda world: setattr(world, "status", Status()),
    "Deployment deleted": lambda world: world.delete(),
    "Deployment made anew": _recreate,
    "route edited up": lambda world: world.edit_route(90),
    "route edited down": lambda world: world.edit_route(0),
    "routes disagree": lambda world: world.edit_route(UNCLEAR),
    "route deleted": lambda world: world.edit_route(None),
    "canary deleted": _canary_lost,
    "asked to retry": lambda world: world.ask(Verb.RETRY, V2),
    "asked to promote": lambda world: world.ask(Verb.PROMOTE, V2),
    "asked to abort": lambda world: world.ask(Verb.ABORT, V2),
    "clock set back": lambda world: world.set_clock_back(timedelta(hours=1)),
    "canaries refused": _set(refusing=(RunCanary,)),
    "routes refused": _set(refusing=(Route, Unroute)),
    "promotions refused": _set(refusing=(Ask,)),
    "labels refused": _set(refusing=(Label, Guard)),
    "removal refused": _set(refusing=(RemoveCanary,)),
    "nothing refused": _set(refusing=()),
}
CALM = _set(
    paused=False, down_since=None, checks=PASSED, gate=OPEN, comes_up=True, primary_comes_up=True, refused="",
    obstacle="", held="", queued="", unusable="", refusing=(), cuts={}, deleted=False,
)  # fmt: skip


Step = tuple[str, float, Cut | None, int]


def play(world: World, steps: list[Step]) -> None:
    """Let each event happen after its pause, in which the analyzer may be cut at the next effects."""
    for event, pause, cut, after in steps:
        world.cuts = {world.effects + 1 + after: cut} if cut else {}
        world.run(pause)
        EVENTS[event](world)


steps = st.lists(
    st.tuples(
        st.sampled_from(sorted(EVENTS)), st.sampled_from(PAUSES), st.none() | st.sampled_from(EVERY_CUT),
        st.integers(0, 5),
    ),
    max_size=10,
)  # fmt: skip


@settings(max_examples=int(os.environ.get("EXAMPLES", "200")), suppress_health_check=[HealthCheck.too_slow])
@given(steps)
def test_it_comes_to_rest_and_breaks_no_promise_whatever_happens(happening: list[Step]) -> None:
    world = initialized()
    world.divert(V2)
    play(world, happening)
    CALM(world)
    world.replicas, world.spec = max(world.replicas, 1), replace(world.spec, suspend=False)
    world.run(LONGEST + 2 * DOWN)
    assert world.breaches == []
    assert not world.status.phase.in_flight
    assert (world.canary, world.route, world.service, world.previous) == (None, None, None, None)
    assert world.stash is None or world.stash in world.status.rejected
    assert world.status.guarded
    effects = world.effects
    world.run(LONGEST)
    assert world.effects == effects
    assert world.status.phase is not Phase.INITIALIZING
