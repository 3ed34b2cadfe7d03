"""Measurements under way: gates and metrics are asked in threads of their own, so that one that is slow delays only the
application that asked it. A suite that a gate runs may take an hour.
"""

import logging
from collections import Counter
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from threading import Lock

from analyzer.agenda import Key
from analyzer.crew import Crew
from analyzer.metrics.verdict import Check

THREADS, SHARE = 512, 128
"""Measurements at a time, in all and of one namespace: some 80 KiB each while it waits."""
OF_ONE = 2
"""Of one application: what counts now, and an older one whose gate still has not answered."""

Checks = tuple[Check, ...]

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Measurement:
    occasion: Hashable
    measure: Callable[[], Checks]
    begun: bool = False
    answer: Future[Checks] = field(default_factory=Future)


class Measurements:
    """At most one for each application; `occasion` tells what it is for, so that an answer never counts for another."""

    def __init__(self, touch: Callable[[Key], None], crew: Crew | None = None) -> None:
        self._touch = touch
        self._crew = crew or Crew("measure", THREADS, SHARE)
        self._known: dict[Key, _Measurement] = {}
        self._running: Counter[Key] = Counter()
        self._lock = Lock()

    def start(self, key: Key, occasion: Hashable, measure: Callable[[], Checks]) -> None:
        """Measure, unless that is under way already; the application is touched when there is an answer."""
        with self._lock:
            known = self._known.get(key)
            if known and known.occasion == occasion:
                return
            self._known[key] = _Measurement(occasion, measure)
        self._begin(key)

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
        """Nobody waits for it any more. What has begun goes on until it ends."""
        with self._lock:
            self._known.pop(key, None)

    def _begin(self, key: Key) -> None:
        with self._lock:
            known = self._known.get(key)
            if known is None or known.begun or self._running[key] >= OF_ONE:
                return
            known.begun = True
            self._running[key] += 1
        self._crew.do(key[0], partial(self._run, key, known))

    def _run(self, key: Key, measurement: _Measurement) -> None:
        try:
            if self._known.get(key) is measurement:
                measurement.answer.set_result(measurement.measure())
        except Exception as error:
            measurement.answer.set_exception(error)
        finally:
            with self._lock:
                self._running -= Counter([key])
        self._begin(key)
        self._touch(key)
