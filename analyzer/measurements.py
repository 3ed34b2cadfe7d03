"""Measurements under way: gates and metrics are asked in threads of their own, so that one that is silent delays only
the application that asked it, and many that are silent only the namespace that they are in.
"""

import logging
from collections import Counter
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock

from analyzer.agenda import Key
from analyzer.metrics.verdict import Check

THREADS = 32
SHARE = 8
"""Threads that one namespace may have: nobody waits for its silent gates but itself."""

Checks = tuple[Check, ...]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class _Measurement:
    occasion: Hashable
    measure: Callable[[], Checks]
    answer: Future[Checks] = field(default_factory=Future)


class Measurements:
    """At most one for each application; `occasion` tells what it is for, so that an answer never counts for another."""

    def __init__(self, touch: Callable[[Key], None], threads: int = THREADS, share: int = SHARE) -> None:
        self._touch = touch
        self._share = share
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="measure")
        self._known: dict[Key, _Measurement] = {}
        self._waiting: dict[Key, _Measurement] = {}
        self._threads: Counter[str] = Counter()
        self._lock = Lock()

    def start(self, key: Key, occasion: Hashable, measure: Callable[[], Checks]) -> None:
        """Measure, unless that is under way already; the application is touched when there is an answer.

        Above its namespace's share it waits for its turn.
        """
        with self._lock:
            known = self._known.get(key)
            if known and known.occasion == occasion:
                return
            self._known[key] = self._waiting[key] = _Measurement(occasion, measure)
            self._begin(key[0])

    def take(self, key: Key, occasion: Hashable) -> Checks | None:
        """The answer, if it has come; it can be taken once."""
        with self._lock:
            known = self._known.get(key)
            if known is None or known.occasion != occasion or not known.answer.done():
                return None
            del self._known[key]
        try:
            return known.answer.result()
        except Exception:
            log.exception("measuring for %s/%s failed", *key)
            return None

    def forget(self, key: Key) -> None:
        """Nobody waits for it any more. A thread that has begun is its namespace's until it ends."""
        with self._lock:
            self._known.pop(key, None)
            self._waiting.pop(key, None)

    def _begin(self, namespace: str) -> None:
        """Begin what waits in a namespace, as far as its share goes. The lock is held."""
        for key in [key for key in self._waiting if key[0] == namespace]:
            if self._threads[namespace] >= self._share:
                return
            self._threads[namespace] += 1
            self._pool.submit(self._run, key, self._waiting.pop(key))

    def _run(self, key: Key, measurement: _Measurement) -> None:
        try:
            measurement.answer.set_result(measurement.measure())
        except Exception as error:
            measurement.answer.set_exception(error)
        finally:
            with self._lock:
                self._threads[key[0]] -= 1
                self._begin(key[0])
        self._touch(key)
