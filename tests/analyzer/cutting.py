"""A scenario run uncut, and then once for every effect and every way to be cut there."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Any

from tests.analyzer.cuts import LONG, QUICK, Cut, Way
from tests.analyzer.story import Scenario
from tests.analyzer.world import World

EVERY_CUT = (
    Cut(Way.DIES_BEFORE, QUICK),
    Cut(Way.DIES_BEFORE, LONG),
    Cut(Way.DIES_AFTER, QUICK),
    Cut(Way.LOST_ANSWER),
    Cut(Way.CONFLICT),
    Cut(Way.STOPPED),
)


@dataclass(frozen=True)
class End:
    """What a run comes to, without its times: what both, the one that was cut and the other, have to agree in."""

    phase: str
    ending: object
    live: str
    stash: str | None
    previous: str | None
    state: str | None
    ran: tuple[str, ...]
    rejected: tuple[str, ...]
    promoted: str
    history: tuple[tuple[Any, ...], ...]
    left: tuple[object, ...]
    weight: int
    guarded: bool
    problem: str
    wish: str
    decided: tuple[int, ...]

    @classmethod
    def of(cls, world: World) -> "End":
        status = world.status
        return cls(
            phase=status.phase,
            ending=status.ending,
            live=world.live,
            stash=world.stash,
            previous=world.previous,
            state=world.state,
            ran=tuple(world.ran),
            rejected=status.rejected,
            promoted=status.promoted,
            history=tuple(
                (entry["revision"], entry["outcome"], entry["message"], tuple(entry["checks"]))
                for entry in status.history
            ),
            left=(world.canary, world.route, world.service),
            weight=status.weight,
            guarded=status.guarded,
            problem=status.problem,
            wish=status.observed_wish,
            decided=tuple(world.decided),
        )

    def differs(self, other: "End") -> str:
        """In which fields, and how."""
        pairs = ((field.name, getattr(self, field.name), getattr(other, field.name)) for field in fields(self))
        return "; ".join(f"{name}: {mine!r} uncut, {theirs!r} cut" for name, mine, theirs in pairs if mine != theirs)


class Uncut:
    """A scenario as it goes by itself, with a copy of the world before every look, so that a cut run begins late."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self._before: list[World] = []
        world = scenario.begin()
        world.before_look = lambda world: self._before.append(world.copy())
        scenario.play(world)
        self.world, self.end = world, End.of(world)

    def cut(self, *cuts: tuple[int, Cut]) -> World:
        """The same story, cut at these effects (the first is 1)."""
        first = min(at for at, _ in cuts)
        world = next(world for world in reversed(self._before) if world.effects < first).copy()
        world.before_look, world.cuts = None, dict(cuts)
        self.scenario.play(world)
        return world

    def mortal(self) -> World:
        """The same story, told by analyzers that die with every write."""
        world = self.scenario.begin()
        world.each_write_is_the_last = True
        self.scenario.play(world)
        return world

    def cuts(self, ways: Iterable[Cut] = EVERY_CUT) -> Iterator[tuple[int, Cut, World]]:
        """Every run that is cut once."""
        for at in range(1, self.world.effects + 1):
            for cut in ways:
                yield at, cut, self.cut((at, cut))
