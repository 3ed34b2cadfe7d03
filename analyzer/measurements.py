"""Measurements under way: gates and metrics are asked in threads of their own, so that one that is silent delays only
the application that asked it.
"""

import logging
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

from analyzer.agenda import Key
from analyzer.metrics.verdict import Check

Checks = tuple[Check, ...]

log = logging.getLogger(__name__)


class Measurements:
    """At most one for each application; `occasion` tells what it is for, so that an answer never counts for another."""

    def __init__(self, touch: Callable[[Key], None], threads: int = 16) -> None:
        self._touch = touch
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="measure")
        self._running: dict[Key, tuple[Hashable, Future[Checks]]] = {}
        self._lock = Lock()

    def start(self, key: Key, occasion: Hashable, measure: Callable[[], Checks]) -> None:
        """Measure, unless that is under way already; the application is touched when there is an answer."""
        with self._lock:
            if self._running.get(key, (None, None))[0] == occasion:
                return
            answer = self._pool.submit(measure)
            self._running[key] = occasion, answer
        answer.add_done_callback(lambda _: self._touch(key))

    def take(self, key: Key, occasion: Hashable) -> Checks | None:
        """The answer, if it has come; it can be taken once."""
        with self._lock:
            known, answer = self._running.get(key, (None, None))
            if answer is None or known != occasion or not answer.done():
                return None
            del self._running[key]
        try:
            return answer.result()
        except Exception:
            log.exception("measuring for %s/%s failed", *key)
            return None

    def forget(self, key: Key) -> None:
        """Nobody waits for it any more."""
        with self._lock:
            self._running.pop(key, None)
