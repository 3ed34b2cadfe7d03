"""The diary's scenario under Detour and then under Flagger: how long an update takes, and what it costs."""

import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache

from sandbox.layout import AUDIT_LOG
from tests.bench import audit, flagger
from tests.bench.audit import Spent
from tests.bench.course import Change, Course
from tests.bench.figure import SHORT, Figure, say
from tests.bench.memory import sizes
from tests.bench.processes import Size
from tests.bench.stage import INTERVAL, STEPS, Stage
from tests.bench.wire import Share, Wire, shares
from tests.cluster import namespaces
from tests.cluster.kubectl import eventually, kubectl
from tests.cluster.namespaces import unique

CONNECTIONS, PER_CONNECTION = 4, 10  # 40 requests a second
AT_REST = 15 if SHORT else 60  # seconds
# What is asked for after the last status belongs to the run.
AFTERMATH = 5  # seconds
MOST_BEYOND = 15.0  # seconds
MOST_REQUESTS = 80
INITIALIZED_SECONDS = 120
RUN_SECONDS = STEPS * INTERVAL + 120


@dataclass(frozen=True, slots=True)
class Controller:
    """What carries the update out. `user` is who it is to the API server, `running` has it at work, in a namespace."""

    name: str
    user: Callable[[str], str]
    running: Callable[[str], AbstractContextManager[None]]
    memory: Callable[[], Size]


DETOUR = Controller(
    name="Detour",
    user=lambda _: "system:serviceaccount:detour:detour-analyzer",
    running=lambda _: nullcontext(),
    memory=lambda: sizes()["analyzer"],
)
FLAGGER = Controller(f"Flagger {flagger.PART.version}", flagger.user, flagger.running, flagger.memory)


@dataclass(frozen=True, slots=True)
class Run:
    """One update under one controller. `began` and the times of `changes` are Unix time."""

    controller: str
    began: float
    changes: tuple[Change, ...]
    requests: Spent
    at_rest: Spent
    shares: tuple[Share, ...]
    statuses: Counter[int]
    memory: Size

    @property
    def progressing(self) -> float:
        """Seconds from `set image` until the controller had noticed."""
        return self._first("Progressing")

    @property
    def beyond(self) -> float:
        """Seconds from `set image` until Succeeded, without those that the steps take by themselves."""
        return self._first("Succeeded") - STEPS * INTERVAL

    @property
    def per_minute(self) -> float:
        """Requests in a minute at rest, without the watches that are opened again."""
        return 60 * len(self.at_rest.asked) / AT_REST

    def _first(self, phase: str) -> float:
        return next(change.at for change in self.changes if change.phase == phase) - self.began

    @property
    def lines(self) -> tuple[str, ...]:
        """The run in full, for the evidence."""
        course = ", ".join(f"{c.at - self.began:.1f} s {c.phase} {c.weight}" for c in self.changes)
        shares = ", ".join(f"{share.percent:.1f} % of {share.requests} at {share.weight}" for share in self.shares)
        answers = ", ".join(f"{count} × {status}" for status, count in sorted(self.statuses.items()))
        texts = (
            f"course: {course}",
            f"requests in the run: {_kinds(self.requests)}",
            f"requests in {AT_REST} s at rest: {_kinds(self.at_rest)}",
            f"answers through the Ingress: {answers}; the canary's share: {shares}",
            f"memory at rest after it: {self.memory}",
        )
        return tuple(f"{self.controller}, {text}" for text in texts)


def figures() -> list[Figure]:
    """Detour's three rows, each with Flagger's of the same run."""
    ours, theirs = detour_run(), flagger_run()
    return [
        Figure(
            name=f"seed's scenario, set image → Succeeded, beyond its {STEPS} × {INTERVAL} s",
            goal=f"≤ {MOST_BEYOND:.0f} s",
            measured=f"{ours.beyond:.1f} s (Progressing after {ours.progressing:.2f} s)",
            reference=f"{theirs.controller}: {theirs.beyond:.1f} s (Progressing after {theirs.progressing:.1f} s)",
            holds=ours.beyond <= MOST_BEYOND,
            details=(*ours.lines, *theirs.lines),
        ),
        Figure(
            name="API requests of the analyzer in that run",
            goal=f"≤ {MOST_REQUESTS}, lease aside",
            measured=str(len(ours.requests)),
            reference=f"{theirs.controller}: {len(theirs.requests)}",
            holds=len(ours.requests) <= MOST_REQUESTS,
        ),
        Figure(
            name="API requests of the analyzer in a minute at rest",
            goal="0, lease and re-opened watches aside",
            measured=f"{ours.per_minute:.0f}",
            reference=f"{theirs.controller}: {theirs.per_minute:.0f}",
            holds=not ours.at_rest.asked,
            details=tuple(
                f"{run.controller}, watches opened again: {len(run.at_rest.reopened)}" for run in (ours, theirs)
            ),
        ),
    ]


@cache
def detour_run() -> Run:
    """The scenario under the installed Detour."""
    return _measure(DETOUR)


@cache
def flagger_run() -> Run:
    """The scenario under Flagger, once however many measurements want it for a reference."""
    with flagger.without_detour():
        return _measure(FLAGGER)


def _measure(controller: Controller) -> Run:
    """One update in a namespace of its own."""
    say(f"the scenario under {controller.name}")
    with _namespace() as namespace, controller.running(namespace):
        stage = Stage(namespace)
        stage.open()
        with Course(namespace, stage.name) as course, Wire(stage.host) as wire:
            began = _update(stage, course, wire)
        rest = time.time()
        say(f"  it took {course.changes[-1].at - began:.1f} s; now {AT_REST} s at rest")
        time.sleep(AT_REST)

        def requests(since: float, until: float) -> Spent:
            return audit.spent(audit.read(AUDIT_LOG, controller.user(namespace), since, until), namespace)

        changes, passed = tuple(course.since(began)), wire.since(began)
        return Run(
            controller=controller.name,
            began=began,
            changes=changes,
            requests=requests(began, rest),
            at_rest=requests(rest, rest + AT_REST),
            shares=tuple(shares(changes, passed)),
            statuses=Counter(request.status for request in passed),
            memory=controller.memory(),
        )


def _update(stage: Stage, course: Course, wire: Wire) -> float:
    """The update under load, from its beginning, which is returned in Unix time, until all is said and done."""
    course.until("Initialized", 0.0, INITIALIZED_SECONDS)
    with _load(stage):
        eventually(lambda: wire.flows, f"an answer of {stage.host}", 30)
        # Flagger looks once an interval: in the middle of one it notices as soon as on average.
        time.sleep(INTERVAL / 2)
        began = time.time()
        stage.update()
        say("  updated")
        course.until("Succeeded", began, RUN_SECONDS)
    time.sleep(AFTERMATH)
    return began


@contextmanager
def _namespace() -> Iterator[str]:
    """A new one, gone at the end (which others do not wait for): nothing of it is in the next measurement's way."""
    name = unique("scenario")
    namespaces.create(name)
    try:
        yield name
    finally:
        kubectl("delete", "namespace", name, "--timeout=120s")


@contextmanager
def _load(stage: Stage) -> Iterator[None]:
    """Users, for the length of the block."""
    rate = ["-z", f"{2 * RUN_SECONDS}s", "-c", str(CONNECTIONS), "-q", str(PER_CONNECTION)]
    users = subprocess.Popen(["hey", *rate, "-host", stage.host, stage.address], stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        users.send_signal(signal.SIGINT)  # what has been asked is still answered
        users.wait(timeout=30)


def _kinds(spent: Spent) -> str:
    kinds = ", ".join(f"{count} × {kind}" for kind, count in spent.kinds) or "none"
    return f"{kinds}; {spent.lease} more for its lease, {spent.elsewhere} for other namespaces"
