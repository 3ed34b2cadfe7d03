"""A small world for the plan to act on: what the API server, the webhook and the kubelet would do, in virtual time.

A model, not a mock: it keeps the rules that the real ones keep (a canary is ready some seconds after it is made, a
promotion swaps templates, only the leader's writes are accepted) and looks at every promise after every write.
"""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from analyzer.actions import Emit, Guard, Measure, Rehearse
from analyzer.seen import Canary, Primary, Seen
from analyzer.status import Phase
from tests.analyzer.cuts import Crash, Cut, Fenced, Lost, Moved, Stopped, Way
from tests.analyzer.effects import Effects
from tests.analyzer.invariants import Moment, breaches_of
from tests.analyzer.loop import Analyzer, Findings, Writing
from tests.analyzer.things import V2

TICK = 0.25  # seconds


def never(_: "World") -> bool:
    """Whatever happens."""
    return False


UNSTORED = Measure | Rehearse | Guard
"""Questions: what they bring is known to the process that asked, and to no successor."""


@dataclass
class World(Effects):
    """Things, and the analyzers at work on them: one leads. `cuts` says before which effects one is cut, and how.

    Where `each_write_is_the_last`, every analyzer dies with its first one: two writes are never of the same process.
    """

    analyzers: list[Analyzer] = field(default_factory=lambda: [Analyzer()])
    effects: int = 0
    cuts: dict[int, Cut] = field(default_factory=dict)
    each_write_is_the_last: bool = False
    fenced: int = 0
    turn: int = 0
    before_look: Callable[["World"], None] | None = None

    @property
    def leader(self) -> Analyzer:
        """The analyzer whose writes are accepted."""
        return self.analyzers[-1]

    def copy(self) -> Self:
        """Another world, the same up to now."""
        other = copy.copy(self)
        for name in ("told", "weights", "ran", "decided", "proven", "judged", "breaches", "cuts", "repeats"):
            setattr(other, name, copy.copy(getattr(self, name)))
        other.analyzers = [copy.copy(analyzer) for analyzer in self.analyzers]
        return other

    def seen(self) -> Seen:
        """What an analyzer would see now."""
        canary = None
        if self.canary:
            digest, size, _ = self.canary
            ready = self.canary_ready()
            waits = "0 of 1 updated replicas are available"
            canary = Canary(
                digest, size, ready, size * ready, waits, restarted=self.canary_restarted,
                reason=self.crashed, crashed=bool(self.crashed),
            )  # fmt: skip
        return Seen(
            name="podinfo",
            namespace="shop",
            primary=self._primary(),
            target=not self.deleted,
            served=self.served,
            labelled=self.labelled,
            canary=canary,
            weight=self.route,
            routed=(self.unrouted or self.route is not None) and self.service == self.status.revision,
            leftovers=bool(self.canary or self.service),
            obstacle=self.obstacle,
            unusable=self.unusable,
            wish=self.wish,
            held=self.held,
            queued=self.queued,
            direct=self.direct,
            unrouted=self.unrouted,
            deaf=max(0.0, ((self.deaf_until or self.now) - self.now).total_seconds()),
        )

    def _primary(self) -> Primary | None:
        if self.deleted or not (self.stash or self.previous or self.status.phase.in_flight):
            return None
        ready = self.primary_ready()
        return Primary(
            digest=self.live,
            stash=self.stash,
            previous=self.previous,
            replicas=self.replicas,
            ready=ready,
            progress="" if ready else "waiting",
            down_since=self.down_since,
            paused=self.paused,
            state=self.state,
            restarted=self.restarted if self.stash else "",
            at_once=self.at_once if self.stash else "",
            available=self.replicas * ready if self.serving is None else self.serving,
            autoscaled=self.autoscaled,
        )

    def run(self, seconds: float, until: Callable[["World"], bool] = never) -> None:
        """Let the analyzers work for so long: they look when something changed, or when they wanted to, never else."""
        end = self.now + timedelta(seconds=seconds)
        while self.now < end and not until(self):
            for analyzer in tuple(self.analyzers):
                if analyzer.wants_to_look(self):
                    self._work(analyzer)
            if not until(self):
                self._pass_time(end)

    def until(self, phase: Phase) -> None:
        """Let them work until that is the phase, which it must be soon."""
        self.run(100, lambda world: world.phase() is phase)
        assert self.phase() is phase, f"never {phase}: {self.status}"

    def set_clock_back(self, by: timedelta) -> None:
        """The wall clock jumps; what a process waits for is on its monotonic one."""
        super().set_clock_back(by)
        for analyzer in self.analyzers:
            analyzer.due = analyzer.due and analyzer.due - by
            analyzer.since -= by
            analyzer.stopped_until = analyzer.stopped_until and analyzer.stopped_until - by

    def settle(self) -> None:
        """Let the leader look, and act until nothing is left to do at this moment."""
        self._work(self.leader)

    def _pass_time(self, end: datetime) -> None:
        """To the next tick at which anything may happen."""
        coming = [analyzer.due for analyzer in self.analyzers if analyzer.due] + [self.rolling_until]
        coming += [self.canary[2] + timedelta(seconds=self.boots_in)] if self.canary else []
        soonest = min((moment for moment in coming if moment > self.now), default=end)
        if any(analyzer.wants_to_look(self) for analyzer in self.analyzers):
            soonest = self.now
        ticks = max(1, math.ceil((soonest - self.now).total_seconds() / TICK))
        self.now = min(end, self.now + timedelta(seconds=ticks * TICK))

    def _work(self, analyzer: Analyzer) -> None:
        """One look of an analyzer: its writes are carried out one by one, unless it is cut."""
        if self.before_look:
            self.before_look(self)
        try:
            writing = analyzer.writing or analyzer.look(self)
            write = analyzer.write or next(writing)
            while True:
                analyzer.writing, analyzer.write = None, None
                try:
                    findings = self._carry_out(write, analyzer)
                except Stopped as stopped:
                    analyzer.stop(writing, write, self.now, stopped.cut)
                    self.analyzers.append(Analyzer.successor(self, stopped.cut))
                    return
                write = writing.send(findings)
        except StopIteration:
            return
        except Crash as crash:
            self.analyzers[-1] = Analyzer.successor(self, crash.cut)
        except (Lost, Moved, Fenced) as failure:
            analyzer.fail(failure, self.now)
            if analyzer.given_up:
                self.analyzers.remove(analyzer)

    def _carry_out(self, writing: Writing, analyzer: Analyzer) -> Findings:
        """One effect. Raises what the analyzer's process or its client would meet."""
        write = writing.write
        if analyzer is not self.leader:
            if isinstance(write, Measure | Emit):
                return {}  # it changes nothing, and nobody hears of what is measured
            self.fenced += 1
            raise Fenced
        if isinstance(write, self.refusing):
            self.refusals += 1
            return {"refused": "a policy forbids it" + self.varying.format(30000 + self.refusals)}
        self.effects += 1
        cut = self.cuts.get(self.effects)
        if self.each_write_is_the_last and not isinstance(write, UNSTORED):
            cut = Cut(Way.DIES_AFTER)
        if cut:
            cut.before(write)
        before = copy.copy(self)
        findings = self.take_effect(write, writing, analyzer)
        self.breaches += breaches_of(Moment(before, write, self))
        if cut:
            cut.after(write)
        return findings


def initialized(**changes: object) -> World:
    """A world whose Canary is initialized, with nothing in flight."""
    world = World(**changes)  # type: ignore[arg-type]
    world.settle()
    assert world.status.phase is Phase.INITIALIZED
    return world


def shipped(**changes: object) -> World:
    """One whose user has just updated it to V2."""
    world = initialized(**changes)
    world.divert(V2)
    return world
