"""A story of a rollout: a setting, and turns that come when the time is ripe; and what such turns are made of.

When is told by what there is to see, never by the clock: so a turn finds a run that was cut at the same place as one
that was not.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from analyzer.status import Status
from analyzer.wishes import Verb
from tests.analyzer.things import SPEC, V2, V3
from tests.analyzer.world import World, initialized

LONGEST = 5 * 3600.0  # seconds until a turn comes at the latest: more than any deadline, and than any downtime
Now = Callable[[World], bool]
Act = Callable[[World], None]


@dataclass(frozen=True)
class Scenario:
    """`setting` is how the world is when V2 is diverted; each of `turns` comes when its time is ripe, or at rest."""

    name: str
    setting: Mapping[str, Any] = field(default_factory=dict)
    turns: tuple[tuple[Now, Act], ...] = ()

    def begin(self) -> World:
        """The world, just after the update."""
        world = initialized(replicas=self.setting.get("replicas", 2), spec=self.setting.get("spec", SPEC))
        become(**self.setting)(world)
        world.divert(V2)
        world.effects = 0
        return world

    def play(self, world: World) -> None:
        """Everything that is still to come, until nothing is going to happen any more."""
        while world.turn < len(self.turns):
            ripe, act = self.turns[world.turn]
            world.run(LONGEST, until=lambda world, ripe=ripe: ripe(world) or at_rest(world))  # type: ignore[misc]
            act(world)
            world.turn += 1
        world.run(LONGEST, until=at_rest)
        world.run(LONGEST, until=at_rest)


def become(**values: object) -> Act:
    def act(world: World) -> None:
        for name, value in values.items():
            setattr(world, name, value)

    return act


def on_terms(**changes: Any) -> Act:
    """The Canary's spec is changed."""
    return lambda world: setattr(world, "spec", replace(world.spec, **changes))


def at_rest(world: World) -> bool:
    """Nothing is going to happen by itself."""
    return all(analyzer.due is None and not analyzer.wants_to_look(world) for analyzer in world.analyzers)


def stuck(world: World) -> bool:
    """It halts before there is any canary, or waits, and says why."""
    status = world.status
    return bool(status.problem) and world.canary is None and not world.leader.wants_to_look(world) and not status.ending


def at(weight: int) -> Now:
    return lambda world: world.status.weight == weight and world.status.ending is None


def saying(problem: str) -> Now:
    return lambda world: world.status.problem == problem


def run_as_canary(revision: str) -> Now:
    return lambda world: bool(world.canary and world.canary[0] == revision)


def checked(times: int) -> Now:
    return lambda world: world.status.iterations == times and world.status.ending is None


def waiting_at_a_gate(world: World) -> bool:
    return bool(world.status.gate)


def swapped(world: World) -> bool:
    return world.live == V2


def leaving(world: World) -> bool:
    return world.status.ending is not None and world.status.phase.in_flight


def failing_once(world: World) -> bool:
    return world.status.failed_checks == 1


def update(digest: str) -> Act:
    return lambda world: world.update(digest)


def ask(verb: Verb, revision: str = V2) -> Act:
    return lambda world: world.ask(verb, revision)


def down(world: World) -> None:
    world.down_since = world.now


def deleted(world: World) -> None:
    world.delete()


def made_anew(world: World) -> None:
    world.status, world.spec = Status(), SPEC


def edited_past_the_webhook(world: World) -> None:
    world.live = V3
    world.ran.append(V3)


def canary_lost(world: World) -> None:
    world.canary = None
