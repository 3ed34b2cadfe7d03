"""The loop of `analyzer/rollouts.py` in a model: what a process has in memory, and in which order it writes."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from analyzer.actions import Plan, RemoveCanary, Route
from analyzer.beginning import begins
from analyzer.metrics.verdict import Check
from analyzer.plan import plan
from analyzer.seen import Seen
from analyzer.view import Occasion
from tests.analyzer.cuts import TAKEOVER, Cut, Fenced, Moved
from tests.analyzer.invariants import Serving, Unserve, Write, waits_for_nothing
from tests.analyzer.things import START

if TYPE_CHECKING:
    from tests.analyzer.world import World

Findings = dict[str, Any]

MOST_ROUNDS = 50
TRIES_WITHOUT_THE_LEASE = 3


@dataclass(frozen=True, slots=True)
class Writing:
    """A write, and what was looked at when it was decided on: of the cluster, and of the Canary object."""

    write: Write
    seen: Seen
    object: object


@dataclass
class Analyzer:
    """One process. All of this is lost when it dies; `stopped_until` is while it stands still, in mid-look."""

    due: datetime | None = START
    since: datetime = START
    looked_at: object = None
    checks: tuple[Occasion, tuple[Check, ...]] | None = None
    failures: int = 0
    stopped_until: datetime | None = None
    writing: Generator[Writing, Findings, None] | None = None
    write: Writing | None = None

    @classmethod
    def successor(cls, world: "World", cut: Cut) -> Self:
        """A new process, which looks as soon as it is at work."""
        begins = world.now + timedelta(seconds=cut.downtime)
        return cls(due=begins, since=begins, stopped_until=begins)

    @property
    def given_up(self) -> bool:
        """Whether it knows that it has lost its lease: it ends then."""
        return self.failures >= TRIES_WITHOUT_THE_LEASE

    def stop(self, writing: Generator[Writing, Findings, None], write: Writing, now: datetime, cut: Cut) -> None:
        """It stands still before a write, and goes on with it when its successor has been at work for a while."""
        self.writing, self.write = writing, write
        self.due = self.stopped_until = now + timedelta(seconds=cut.downtime + TAKEOVER)

    def wants_to_look(self, world: "World") -> bool:
        """It was told of a change, or of the time."""
        if self.stopped_until and world.now < self.stopped_until:
            return False
        if self.due is not None and world.now >= self.due:
            return True
        return self.failures == 0 and self.looked_at != visible(world)

    def look(self, world: "World") -> Generator[Writing, Findings, None]:
        """Plan, store and act until nothing is left to do at this moment."""
        findings: Findings = {}
        for _ in range(MOST_ROUNDS):
            before, about = world.seen(), (world.wish, world.spec)
            known = replace(before, checks=self._taken(world), since=self.since, **findings)
            result = plan(world.spec, world.status, replace(known, queued=""), world.now)
            if known.queued and begins(world.status, result.status):  # it has asked for a place
                result = plan(world.spec, world.status, known, world.now)
            stored = result.status != world.status
            if stored:
                yield Writing(result.status, before, about)
            findings = yield from self._act(world, result, before, about)
            self.failures, self.looked_at = 0, visible(world)
            self.due = None if result.wake is None else world.now + timedelta(seconds=result.wake)
            unsettled = findings or self.checks or result.wake == 0 or stored
            if not unsettled and world.seen() == before:
                world.breaches += waits_for_nothing(world, result)
                return
        raise AssertionError(f"the plan never settles: {world.status}, {result.actions}")

    def _act(self, world: "World", result: Plan, seen: Seen, about: object) -> Generator[Writing, Findings, Findings]:
        findings: Findings = {}
        for action in result.actions:
            for write in _parts(world, action):
                findings |= yield Writing(write, seen, about)
                if "refused" in findings:
                    return findings
        return findings

    def _taken(self, world: "World") -> tuple[Check, ...] | None:
        """The answer of a measurement, once, and only for what it was asked for."""
        if self.checks is None or self.checks[0] != world.occasion():
            self.checks = None
            return None
        _, taken = self.checks
        self.checks = None
        return taken

    def fail(self, failure: Exception, now: datetime) -> None:
        """Look again, later and later."""
        self.failures += 1
        first = 0.05 if isinstance(failure, Moved) else 1.0 if isinstance(failure, Fenced) else 0.5
        self.due = now + timedelta(seconds=min(first * 2 ** (self.failures - 1), 30.0))


def visible(world: "World") -> object:
    """What a watch would tell of."""
    return world.seen(), world.spec, world.status


def _parts(world: "World", action: Any) -> tuple[Write, ...]:
    """An action may be several writes."""
    if isinstance(action, Route) and action.revision not in ("", world.service) and not world.deleted:
        return Serving(action.revision), action
    return (Unserve(), action) if isinstance(action, RemoveCanary) and world.service else (action,)
