"""How often one application may be looked at: whatever goes wrong, nobody looks as fast as the machine can.

A write of ours is told to us by a watch, and so brings the next look; should each look find something new to write,
there would be no end. Nothing that happens by itself comes near this pace.
"""

import time
from collections.abc import Callable

from analyzer.agenda import Key

BURST = 100  # looks at once
REFILL = 5.0  # looks a second after that: more than the shortest interval needs


class Pace:
    """A bucket of looks for each application, which fills up again. Used by one worker at a time for each."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left: dict[Key, tuple[float, float]] = {}

    def wait(self, key: Key) -> float:
        """Take one look out of the bucket: 0 if there was one, else in how many seconds there is."""
        now = self._clock()
        left, at = self._left.get(key, (float(BURST), now))
        left = min(left + (now - at) * REFILL, float(BURST))
        if left < 1:
            return (1 - left) / REFILL
        self._left[key] = left - 1, now
        return 0.0

    def forget(self, key: Key) -> None:
        """It is gone."""
        self._left.pop(key, None)
