"""What is to be done later: one thread waits for all of it."""

import heapq
import threading
import time
from collections.abc import Callable

LONGEST_WAIT = 3600.0  # seconds; the clock of a machine that sleeps stands still


class Alarm:
    """Rings are quick: one that waits would keep all after it waiting."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._set = 0
        self._changed = threading.Condition()
        threading.Thread(target=self._wait, name="alarm", daemon=True).start()

    def set(self, seconds: float, ring: Callable[[], None]) -> None:
        """Have `ring` called in so many seconds. Never blocks and never raises."""
        with self._changed:
            self._set += 1
            heapq.heappush(self._heap, (self._clock() + seconds, self._set, ring))
            self._changed.notify()

    def _wait(self) -> None:
        while True:
            self._next()()

    def _next(self) -> Callable[[], None]:
        with self._changed:
            while True:
                left = self._heap[0][0] - self._clock() if self._heap else LONGEST_WAIT
                if left <= 0:
                    return heapq.heappop(self._heap)[2]
                self._changed.wait(min(left, LONGEST_WAIT))
