"""Turns of what has hundreds of requests a second: two at once, however many workers there are.

More, and the Ingress controller has no processor left.
"""

import fcntl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import IO

from tests.cluster.kubectl import ROOT, eventually

WORKSPACE = ROOT / ".sandbox"
AT_ONCE, LONGEST_WAIT = 2, 1200.0  # turns, seconds


@contextmanager
def a_turn() -> Iterator[None]:
    """Wait for one, and keep it for the block."""
    with ExitStack() as stack:
        places = [stack.enter_context((WORKSPACE / f"row-{number}.lock").open("w")) for number in range(AT_ONCE)]
        eventually(lambda: any(map(_taken, places)), "a turn", LONGEST_WAIT)
        yield


def _taken(place: IO[str]) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False
