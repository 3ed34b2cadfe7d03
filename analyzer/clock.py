"""The time that canaries are judged by: the API server's when we began to lead, carried on by a clock nobody can set.

A node's own clock may be wrong, or be put right in the middle of an analysis or of a drain: what was to take seconds
would be over at once, or take days. And what one replica has stored must mean the same to the next, on another node.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta


def since_boot() -> float:
    """Seconds; those while the machine slept count, too, where the system knows them (Linux)."""
    boot: int | None = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class Clock:
    """Runs from `began`, which is aware of its time zone."""

    def __init__(self, began: datetime, elapsed: Callable[[], float] = since_boot) -> None:
        self._began = began
        self._elapsed = elapsed
        self._offset = elapsed()

    def __call__(self) -> datetime:
        """What time it is."""
        return self._began + timedelta(seconds=self._elapsed() - self._offset)
