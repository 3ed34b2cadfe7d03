"""Runs tasks beside the server: each once at a time, so many at once, so long, and says in the log how they ended."""

import logging
import shutil
import signal
import threading
import time
from collections.abc import Callable

from loadtester.command import Pipeline
from loadtester.errors import Busy, CannotStart
from loadtester.payload import Task
from loadtester.process import GRACE, Ending, Running
from loadtester.telemetry import Event

TIMEOUT = 3600.0
"""Seconds that a command may take; Flagger's own default."""

AT_ONCE = 32

log = logging.getLogger(__name__)

Count = Callable[[Event], None]


class Runner:
    """The commands that run now. Safe to use from several threads."""

    def __init__(self, count: Count, timeout: float = TIMEOUT, at_once: int = AT_ONCE, grace: float = GRACE) -> None:
        self._count, self._timeout, self._at_once, self._grace = count, timeout, at_once, grace
        self._lock, self._stopped = threading.Lock(), False
        self._running: dict[tuple[str, str], tuple[Running, threading.Thread]] = {}

    def start(self, task: Task, pipeline: Pipeline) -> bool:
        """Start what was permitted, and return at once. False: the same command runs for this canary already.

        Raises CannotStart, and Busy when as many run as may.
        """
        key = (task.canary, task.line)
        with self._lock:
            if key in self._running:
                self._count(Event.JOINED)
                return False
            if self._stopped or len(self._running) >= self._at_once:
                raise Busy(f"{len(self._running)} commands run already: wait for one to end")
            running = _started(pipeline, self._grace)
            thread = threading.Thread(target=self._follow, args=(task, pipeline, running), daemon=True)
            self._running[key] = (running, thread)
            self._count(Event.STARTED)
            log.info("%s: %s started", task.canary, _names(pipeline))
            thread.start()
        return True

    def stop(self) -> None:
        """Stop every command, for the end of the server: first kindly, then not. Nothing starts any more."""
        with self._lock:
            self._stopped, left = True, list(self._running.values())
        for number in (signal.SIGTERM, signal.SIGKILL):
            for running, _ in left:
                running.signal(number)
            deadline = time.monotonic() + self._grace
            for _, thread in left:
                thread.join(max(0.0, deadline - time.monotonic()))

    def _follow(self, task: Task, pipeline: Pipeline, running: Running) -> None:
        try:
            ending = running.follow(self._timeout)
        finally:
            with self._lock:
                del self._running[task.canary, task.line]
        self._count(_event(ending))
        _say(task, _names(pipeline), ending)


def _started(pipeline: Pipeline, grace: float) -> Running:
    paths = _found(pipeline)
    try:
        return Running(pipeline, paths, grace)
    except OSError as error:
        raise CannotStart(f"{_names(pipeline)} cannot be started: {error.strerror}") from error


def _found(pipeline: Pipeline) -> dict[str, str]:
    """Where each program is."""
    paths = {words[0]: shutil.which(words[0]) for words in pipeline}
    if missing := sorted(name for name, path in paths.items() if path is None):
        raise CannotStart(f"not in the load tester's image, though allowed: {', '.join(missing)}; use one that has it")
    return {name: path for name, path in paths.items() if path}


def _names(pipeline: Pipeline) -> str:
    """For the log: never the arguments, there are tokens among them."""
    return " | ".join(words[0] for words in pipeline)


def _event(ending: Ending) -> Event:
    if ending.expired:
        return Event.EXPIRED
    return Event.FAILED if ending.status else Event.SUCCEEDED


def _say(task: Task, names: str, ending: Ending) -> None:
    """The output of what failed is always logged, as Flagger does."""
    level, how = logging.INFO, "finished"
    if ending.expired:
        level, how = logging.ERROR, "took too long and was stopped"
    elif ending.status:
        level, how = logging.ERROR, f"failed with status {ending.status}"
    log.log(level, "%s: %s %s after %.1f s", task.canary, names, how, ending.seconds)
    if not task.log_output and level == logging.INFO:
        return
    if ending.dropped:
        log.log(level, "%s: the first %d bytes of the output are left out", task.canary, ending.dropped)
    for line in ending.output.decode(errors="replace").splitlines():
        log.log(level, "%s: %s", task.canary, "".join(c if c.isprintable() or c == "\t" else "\ufffd" for c in line))
