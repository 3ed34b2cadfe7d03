"""Gates that a person opens and closes, and that a canary waits at.

They are kept in memory: a load tester that starts again has closed them all, as Flagger's has.
"""

import threading

from loadtester.errors import Busy

MOST = 10_000


class Gates:
    """Which gates are open. Closed unless opened. Safe to use from several threads."""

    def __init__(self, most: int = MOST) -> None:
        self._lock, self._open, self._most = threading.Lock(), set[str](), most

    def is_open(self, name: str) -> bool:
        """Whether the gate lets its canary pass."""
        with self._lock:
            return name in self._open

    def open(self, name: str) -> None:
        """Let the canary pass. Raises Busy when more gates are open than anybody can mean."""
        with self._lock:
            if len(self._open) >= self._most and name not in self._open:
                raise Busy(f"{self._most} gates are open already: close those of canaries that are gone")
            self._open.add(name)

    def close(self, name: str) -> None:
        """Hold the canary. Closing a closed gate is no error."""
        with self._lock:
            self._open.discard(name)
