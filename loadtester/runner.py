"""Runs tasks beside the server: each once at a time, so many at once, so long.

What is waited for may take longer than the caller's patience. Such a caller finds it running when it calls again, or
finds how it ended: a suite of three minutes has its verdict heard by a gate with a timeout of ten seconds.
"""

import logging
import signal
import threading
import time
from collections.abc import Callable, Mapping

from loadtester import report
from loadtester.command import Pipeline
from loadtester.errors import Away, Busy, CannotStart, HungUp
from loadtester.payload import Kind, Task
from loadtester.process import GRACE, Ending, Running
from loadtester.telemetry import Event

TIMEOUT = 3600.0
"""Seconds that a command may take; Flagger's own default."""

AT_ONCE = 32

LOOK_EVERY = 0.25
"""Seconds between two looks whether who waits is still there."""

KEPT_FOR = 120.0
"""Seconds that the end of a task waits to be heard, if nobody waited for it: until the next check, and not for long."""

log = logging.getLogger(__name__)

Count = Callable[[Event], None]
Key = tuple[str, Kind, str, str]


class Runner:
    """The commands that run now. Safe to use from several threads."""

    def __init__(self, count: Count, timeout: float = TIMEOUT, at_once: int = AT_ONCE, grace: float = GRACE) -> None:
        self._count, self._timeout, self._at_once, self._grace = count, timeout, at_once, grace
        self._lock, self._stopped, self._waiting = threading.Lock(), False, 0
        self._runs: dict[Key, Run] = {}
        self._unheard: dict[Key, tuple[float, Ending]] = {}

    def start(self, task: Task, pipeline: Pipeline, paths: Mapping[str, str]) -> bool:
        """Start what was permitted, and return at once. False: the same command runs for this canary already.

        Raises CannotStart, and Busy when as many run as may.
        """
        with self._lock:
            joined = _key(task) in self._runs
            self._run(task, pipeline, paths)
        return not joined

    def verdict(
        self, task: Task, pipeline: Pipeline, paths: Mapping[str, str], gone: Callable[[], bool] = lambda: False
    ) -> Ending:
        """Start it, or join what runs for the same revision, and wait for the end; or what that was, if nobody heard.

        Raises as `start`, HungUp once `gone` says so, and Away when the server ends before the task.
        """
        with self._lock:
            if ending := self._kept(task):
                self._count(Event.JOINED)
                return ending
            if self._waiting >= self._at_once:
                raise Busy(f"{self._waiting} callers wait already: come again later")
            run = self._run(task, pipeline, paths)
            self._waiting += 1
        try:
            while not run.over.wait(LOOK_EVERY):
                if gone():
                    raise HungUp
        finally:
            with self._lock:
                self._waiting -= 1
        return self._heard(task, run)

    def stop(self) -> None:
        """Stop every command, for the end of the server: first kindly, then not. Nothing starts any more."""
        with self._lock:
            self._stopped, left = True, list(self._runs.values())
        for number in (signal.SIGTERM, signal.SIGKILL):
            for run in left:
                run.running.signal(number)
            deadline = time.monotonic() + self._grace
            for run in left:
                run.over.wait(max(0.0, deadline - time.monotonic()))

    def _run(self, task: Task, pipeline: Pipeline, paths: Mapping[str, str]) -> "Run":
        """The one that runs, or a new one."""
        if run := self._runs.get(_key(task)):
            self._count(Event.JOINED)
            return run
        if self._stopped:
            raise Away("the load tester is ending: come again")
        if len(self._runs) >= self._at_once:
            raise Busy(f"{len(self._runs)} commands run already: wait for one to end")
        run = self._runs[_key(task)] = Run(_started(pipeline, paths, self._grace))
        self._count(Event.STARTED)
        log.info("%s: %s started", task.canary, report.names(pipeline))
        threading.Thread(target=self._follow, args=(task, pipeline, run), daemon=True).start()
        return run

    def _follow(self, task: Task, pipeline: Pipeline, run: "Run") -> None:
        try:
            ending = self._ended(task, run)
            self._count(_event(ending))
            report.record(task, report.names(pipeline), ending)
        finally:
            run.over.set()

    def _ended(self, task: Task, run: "Run") -> Ending:
        try:
            run.ending = run.running.follow(self._timeout)
        finally:
            with self._lock:
                del self._runs[_key(task)]
                if task.kind.waits and run.ending and not self._stopped:
                    self._keep(task, run.ending)
        return run.ending

    def _heard(self, task: Task, run: "Run") -> Ending:
        with self._lock:
            self._unheard.pop(_key(task), None)
            if self._stopped or run.ending is None:
                raise Away("the load tester is ending, and the command with it: come again")
        return run.ending

    def _keep(self, task: Task, ending: Ending) -> None:
        now = time.monotonic()
        self._unheard = {key: kept for key, kept in self._unheard.items() if now - kept[0] < KEPT_FOR}
        self._unheard[_key(task)] = now, ending

    def _kept(self, task: Task) -> Ending | None:
        since, ending = self._unheard.pop(_key(task), (0.0, None))
        return ending if time.monotonic() - since < KEPT_FOR else None


class Run:
    """One command that runs, and, once it is over, how it ended."""

    def __init__(self, running: Running) -> None:
        self.running, self.over = running, threading.Event()
        self.ending: Ending | None = None


def _key(task: Task) -> Key:
    """What is the same: a `cmd` goes on for the next revision, as with Flagger; a verdict is of one revision."""
    return task.canary, task.kind, task.line, task.checksum if task.kind.waits else ""


def _started(pipeline: Pipeline, paths: Mapping[str, str], grace: float) -> Running:
    try:
        return Running(pipeline, paths, grace)
    except OSError as error:
        raise CannotStart(f"{report.names(pipeline)} cannot be started: {error.strerror}") from error


def _event(ending: Ending) -> Event:
    if ending.expired:
        return Event.EXPIRED
    return Event.FAILED if ending.status else Event.SUCCEEDED
