"""Gates that a person opens and closes, and that a canary waits at.

Where they are kept is handed in: in a pod that is a ConfigMap, so that they are as they were left, whatever becomes of
the pod or its node. Flagger's load tester forgets them with each restart.
"""

import threading
from typing import Protocol

from loadtester.errors import Busy

MOST = 10_000


class Gates(Protocol):
    """Which gates are open. Closed unless opened. Safe between threads. Raises Away where nobody can say."""

    def is_open(self, name: str) -> bool:
        """Whether the gate lets its canary pass."""

    def open(self, name: str) -> None:
        """Let the canary pass. Raises Busy when more gates are open than anybody can mean."""

    def close(self, name: str) -> None:
        """Hold the canary. Closing a closed gate is no error."""


class InMemory:
    """Gates of this process alone, for a load tester outside of a cluster."""

    def __init__(self, most: int = MOST) -> None:
        self._lock, self._open, self._most = threading.Lock(), set[str](), most

    def is_open(self, name: str) -> bool:
        """See Gates."""
        with self._lock:
            return name in self._open

    def open(self, name: str) -> None:
        """See Gates."""
        with self._lock:
            if len(self._open) >= self._most and name not in self._open:
                raise Busy(f"{self._most} gates are open already: close those of canaries that are gone")
            self._open.add(name)

    def close(self, name: str) -> None:
        """See Gates."""
        with self._lock:
            self._open.discard(name)
