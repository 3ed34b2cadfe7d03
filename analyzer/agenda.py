"""Which applications to look at, and when: each is looked at by one worker at a time, at rest by none."""

import heapq
import threading
import time
from collections.abc import Callable

from analyzer import telemetry

Key = tuple[str, str]

LONGEST_WAIT = 3600.0  # seconds; the clock of a machine that sleeps stands still


class Agenda:
    """A set of keys with the time at which each is due; the earliest wish wins. Safe between threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._due: dict[Key, float] = {}
        self._heap: list[tuple[float, Key]] = []
        self._busy: set[Key] = set()
        self._changed = threading.Condition()
        self._closed = False

    def __len__(self) -> int:
        return len(self._due)

    @property
    def overdue(self) -> int:
        """How many wait for a worker."""
        now = self._clock()
        with self._changed:
            return sum(due <= now for due in self._due.values())

    def add(self, key: Key, delay: float = 0.0) -> None:
        """Look at `key` in `delay` seconds at the latest."""
        due = self._clock() + delay
        with self._changed:
            if due < self._due.get(key, float("inf")):
                self._due[key] = due
                heapq.heappush(self._heap, (due, key))
                self._changed.notify()

    def take(self) -> Key | None:
        """Wait for a key that is due and that nobody works at; None when the agenda is closed."""
        with self._changed:
            while not self._closed:
                key, wait = self._next()
                if key is not None:
                    telemetry.LAG_SECONDS.observe(max(0.0, self._clock() - self._due.pop(key)))
                    self._busy.add(key)
                    return key
                self._changed.wait(None if wait is None else min(wait, LONGEST_WAIT))
        return None

    def done(self, key: Key) -> None:
        """The worker that took `key` has finished with it."""
        with self._changed:
            self._busy.discard(key)
            if key in self._due:
                heapq.heappush(self._heap, (self._due[key], key))
            self._changed.notify()

    def close(self) -> None:
        """Let every waiting worker go."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _next(self) -> tuple[Key | None, float | None]:
        while self._heap:
            due, key = self._heap[0]
            if self._due.get(key) != due or key in self._busy:
                heapq.heappop(self._heap)  # moved forward since, or put back by done()
                continue
            left = due - self._clock()
            if left > 0:
                return None, left
            heapq.heappop(self._heap)
            return key, 0.0
        return None, None
