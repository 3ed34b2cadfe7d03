"""The diary's scenario under Detour and then under Flagger: how long an update takes, and what it costs."""

import secrets
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
from tests.bench.stage import INTERVAL, STEPS, Stage
from tests.bench.wire import Share, Wire, shares
from tests.cluster.kubectl import eventually, kubectl

CONNECTIONS, PER_CONNECTION = 4, 10  # 40 requests a second
AT_REST = 15 if SHORT else 60  # seconds
# What is asked for after the last status belongs to the run.
AFTERMATH = 5  # seconds
DETOUR = "system:serviceaccount:detour:detour-analyzer"
MOST_BEYOND = 15.0  # seconds
MOST_REQUESTS = 80
INITIALIZED_SECONDS = 120
RUN_SECONDS = STEPS * INTERVAL + 120


@dataclass(frozen=True, slots=True)
class Run:
    """One update under one controller. Times are in seconds since `set image` was typed."""

    began: float
    changes: tuple[Change, ...]
    requests: Spent
    at_rest: Spent
    shares: tuple[Share, ...]
    statuses: Counter[int]

    @property
    def progressing(self) -> float:
        """Until the controller had noticed the update."""
        return self._first("Progressing")

    @property
    def beyond(self) -> float:
        """Until Succeeded, without what the steps take by themselves."""
        return self._first("Succeeded") - STEPS * INTERVAL

    def _first(self, phase: str) -> float:
        return next(change.at for change in self.changes if change.phase == phase) - self.began

    def lines(self, name: str) -> tuple[str, ...]:
        """The run in full, for the evidence."""
        timeline = ", ".join(f"{c.at - self.began:.1f} s {c.phase} {c.weight}" for c in self.changes)
        on_the_wire = ", ".join(f"{share.percent:.1f} % of {share.requests} at {share.weight}" for share in self.shares)
        answers = ", ".join(f"{count} × {status}" for status, count in sorted(self.statuses.items()))
        return (
            f"{name}, timeline: {timeline}",
            f"{name}, requests in the run: {_kinds(self.requests)}; {self.requests.lease} for its lease",
            f"{name}, requests in {AT_REST} s at rest: {_kinds(self.at_rest)}; {self.at_rest.lease} for its lease",
            f"{name}, answers through the Ingress: {answers}; canary's share: {on_the_wire}",
        )


def figures() -> list[Figure]:
    """Detour's three rows, each with Flagger's of the same run."""
    ours, theirs = detour_run(), flagger_run()
    steps = f"{STEPS} × {INTERVAL} s"
    details = (*ours.lines("Detour"), *theirs.lines("Flagger"))
    return [
        Figure(
            name=f"seed's scenario, set image → Succeeded, beyond its {steps}",
            goal=f"≤ {MOST_BEYOND:.0f} s",
            measured=f"{ours.beyond:.1f} s",
            reference=f"Flagger {flagger.PART.version} {theirs.beyond:.1f} s",
            holds=ours.beyond <= MOST_BEYOND,
            details=details,
        ),
        Figure(
            name="API requests of the analyzer in that run",
            goal=f"≤ {MOST_REQUESTS}",
            measured=str(len(ours.requests)),
            reference=f"Flagger {len(theirs.requests)}",
            holds=len(ours.requests) <= MOST_REQUESTS,
        ),
        Figure(
            name="API requests of the analyzer in a minute at rest",
            goal="0",
            measured=_at_rest(ours),
            reference=f"Flagger {_at_rest(theirs)}",
            holds=not ours.at_rest.asked,
        ),
    ]


@cache
def detour_run() -> Run:
    """The scenario under the installed Detour."""
    say("the scenario under Detour")
    return _measure(lambda _: DETOUR, lambda _: nullcontext())


@cache
def flagger_run() -> Run:
    """The scenario under Flagger, once however many measurements want it for a reference."""
    say(f"the scenario under Flagger {flagger.PART.version}")
    with flagger.without_detour():
        return _measure(flagger.user, flagger.running)


def _measure(user: Callable[[str], str], controller: Callable[[str], AbstractContextManager[None]]) -> Run:
    """One update under `controller`, which is `user` to the API server, in a namespace of its own."""
    with _namespace() as namespace, controller(namespace):
        stage = Stage(namespace)
        stage.open()
        with Course(namespace, stage.name) as course, Wire(stage.host) as wire:
            course.until("Initialized", 0.0, INITIALIZED_SECONDS)
            with _load(stage):
                eventually(lambda: wire.flows, f"an answer of {stage.host}", 30)
                began = time.time()
                stage.update()
                say("  updated")
                ended = course.until("Succeeded", began, RUN_SECONDS)
            time.sleep(AFTERMATH)
        rest = time.time()
        say(f"  it took {ended.at - began:.1f} s; now {AT_REST} s at rest")
        time.sleep(AT_REST)
        changes, passed = tuple(course.since(began)), wire.since(began)
        return Run(
            began=began,
            changes=changes,
            requests=audit.spent(audit.read(AUDIT_LOG, user(namespace), began, rest), namespace),
            at_rest=audit.spent(audit.read(AUDIT_LOG, user(namespace), rest, rest + AT_REST), namespace),
            shares=tuple(shares(changes, passed)),
            statuses=Counter(request.status for request in passed),
        )


@contextmanager
def _namespace() -> Iterator[str]:
    """A new one, gone at the end."""
    name = f"scenario-{secrets.token_hex(3)}"
    kubectl("create", "namespace", name)
    try:
        yield name
    finally:
        kubectl("delete", "namespace", name, "--timeout=120s")


@contextmanager
def _load(stage: Stage) -> Iterator[None]:
    """Users, for the length of the block."""
    rate = ["-z", "1h", "-c", str(CONNECTIONS), "-q", str(PER_CONNECTION)]
    users = subprocess.Popen(["hey", *rate, "-host", stage.host, stage.address], stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        users.terminate()
        users.wait(timeout=10)


def _at_rest(run: Run) -> str:
    reopened = len(run.at_rest.reopened)
    watches = f" (and {reopened} watches opened again)" if reopened else ""
    return f"{60 * len(run.at_rest.asked) / AT_REST:.0f}{watches}"


def _kinds(spent: Spent) -> str:
    return ", ".join(f"{count} × {kind}" for kind, count in spent.kinds) or "none"
