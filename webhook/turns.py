"""For whom threads work at the moment, and who keeps one: by the processor's time that it takes, since to be slow on a
busy machine is no offence.

Who sends nothing but KeyUpdate messages (RFC 8446, 4.6.3) keeps OpenSSL from ever coming back with what it has read.
"""

import threading
import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)

MOST_WORK = 0.05
"""Seconds of a processor for what has come of a request: megabytes take it a few milliseconds."""


class Turns(Generic[T]):
    """Each has one turn at a time. Safe between threads."""

    def __init__(self) -> None:
        self._begun: dict[T, tuple[int, float]] = {}  # the clock of the thread, and what it was at the beginning

    @contextmanager
    def of(self, who: T) -> Iterator[None]:
        """In this block the thread works for `who`."""
        self._begun[who] = time.pthread_getcpuclockid(threading.get_ident()), time.thread_time()
        try:
            yield
        finally:
            self._begun.pop(who, None)

    def too_long(self) -> list[T]:
        """Who has had a thread do more than `MOST_WORK` in this turn; each is told once."""
        turns = self._begun.copy().items()  # at once, whatever threads begin and end meanwhile
        found = [who for who, (clock, begun) in turns if time.clock_gettime(clock) - begun > MOST_WORK]
        for who in found:
            self._begun.pop(who, None)
        return found
