"""A fault on demand: the process kills or stops itself beside one of its own writes. Tests ask for it, nobody else.

What is stored is all that a successor has. So what a crash leaves behind is told by the writes that came before it, and
to end beside each of them in turn is to crash at every line that matters.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self

SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}
QUESTIONS = ("/apis/authentication.k8s.io/", "/apis/authorization.k8s.io/")
"""Reviews: they are posted, and stored nowhere."""
OWN = "/detour-analyzer"
"""The Lease, the Leader and the rights of the analyzer: they say who the successor is, not what it finds."""
UNTIL_STOPPED = 0.02  # seconds; the other threads stop first, the one that asked may be the last


def to_itself(number: signal.Signals) -> None:
    """Send this process a signal; it is gone, or stands still, when its kernel gets to it."""
    os.kill(os.getpid(), number)
    time.sleep(UNTIL_STOPPED)


@dataclass
class Mishap:
    """`sends` a signal, once, before or after the `number`th write that is accepted, dry runs and leases aside."""

    sends: signal.Signals
    before: bool
    number: int
    strike: Callable[[signal.Signals], None] = to_itself
    _accepted: int = 0
    _struck: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def parse(cls, text: str) -> Self:
        """From `kill before 3`, `kill after 1`, `stop before 2`. Raises ValueError for anything else."""
        how, when, number = [*text.split(), "", "", ""][:3]
        if how not in SIGNALS or when not in ("before", "after") or not number.isdecimal() or not int(number):
            raise ValueError(f"'{text}' is no mishap: kill or stop, before or after, and the number of the write")
        return cls(SIGNALS[how], when == "before", int(number))

    @contextmanager
    def around(self, method: str, path: str, query: Mapping[str, str] | None) -> Iterator[None]:
        """The request is sent, and succeeds, in the block."""
        if not is_write(method, path, query or {}):
            yield
            return
        self._at(self.before, self._accepted + 1)
        yield
        with self._lock:
            self._accepted += 1
            self._at(not self.before, self._accepted)

    def _at(self, here: bool, number: int) -> None:
        if here and number == self.number and not self._struck:
            self._struck = True
            self.strike(self.sends)


def is_write(method: str, path: str, query: Mapping[str, str]) -> bool:
    """Whether a request changes anything that a successor goes by."""
    return method != "GET" and "dryRun" not in query and not path.startswith(QUESTIONS) and not path.endswith(OWN)
