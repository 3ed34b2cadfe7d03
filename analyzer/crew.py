"""Threads for what may take long because others are slow: calls to addresses that users wrote.

A thread that waits for an answer costs some 80 KiB and no processor. What it must not do is keep others waiting: no
namespace has more than its share of them, and a process ends while some still wait.
"""

import logging
import threading
from collections import Counter, deque
from collections.abc import Callable

Job = Callable[[], None]

log = logging.getLogger(__name__)


class Crew:
    """`threads` at most, `share` of them for one namespace. A job above that waits for one of its namespace's."""

    def __init__(self, name: str, threads: int, share: int) -> None:
        self._name = name
        self._most = threads
        self._share = share
        self._threads = 0
        self._busy: Counter[str] = Counter()
        self._waiting: dict[str, deque[Job]] = {}
        self._lock = threading.Lock()

    def do(self, namespace: str, job: Job) -> None:
        """Have a job done, soon. Never blocks and never raises."""
        with self._lock:
            self._waiting.setdefault(namespace, deque()).append(job)
            if self._threads >= self._most or self._busy[namespace] >= self._share:
                return
            self._threads += 1
        try:
            threading.Thread(target=self._work, name=self._name, daemon=True).start()
        except RuntimeError as error:  # no more are to be had: one that is at work takes it, or the next that begins
            log.warning("%s: %s", self._name, error)
            with self._lock:
                self._threads -= 1

    def _work(self) -> None:
        """One job after the other, until none is left that may be done."""
        done = None
        while (turn := self._turn(done)) is not None:
            done, job = turn
            try:
                job()
            except Exception:
                log.exception("%s: a job of namespace %s failed", self._name, done)

    def _turn(self, done: str | None) -> tuple[str, Job] | None:
        """Who has the fewest threads is next: nobody waits behind a namespace that has many."""
        with self._lock:
            if done is not None:
                self._busy[done] -= 1
                self._busy += Counter()  # those that have none are forgotten
            able = [namespace for namespace in self._waiting if self._busy[namespace] < self._share]
            if not able:
                self._threads -= 1
                return None
            chosen = min(able, key=lambda namespace: self._busy[namespace])
            job = self._waiting[chosen].popleft()
            if not self._waiting[chosen]:
                del self._waiting[chosen]
            self._busy[chosen] += 1
            return chosen, job
