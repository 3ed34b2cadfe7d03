"""How long the API server answered nobody, and so for how long others may not know yet what is written now."""

import threading
import time
from collections.abc import Callable

LONGEST_DEAF = 60.0
"""Seconds: the longest pause of a client of Kubernetes' own library before it tries again, 30 s and as much more."""


class Outage:
    """Told of every request. Safe between threads.

    A connection that breaks off may be ours alone; a server that does not answer a request is away for all. The longer
    it was, the longer its clients pause before they try again: each pause is twice the one before, and up to twice that
    (client-go, Reflector; its informers are what routers are made of).
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._since: float | None = None
        self._answered = 0.0
        self._deaf_until = 0.0

    def told(self, began: float, *, answered: bool) -> None:
        """A request that began then has ended just now, with an answer or without one."""
        now = self._clock()
        with self._lock:
            if answered and self._since is not None:
                away = now - self._since
                self._deaf_until = max(self._deaf_until, now + min(2 * away, LONGEST_DEAF))
            if answered:
                self._since, self._answered = None, now
            elif began > self._answered:  # or somebody else has been answered meanwhile
                self._since = min(began, self._since or began)

    @property
    def others_deaf(self) -> float:
        """For how many seconds more others may not have heard of what is written now."""
        return max(0.0, self._deaf_until - self._clock())
