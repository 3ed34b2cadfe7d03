"""The course of a Canary through its phases and weights, told by a watch: to ask again and again costs processors."""

import time
from dataclasses import dataclass

from tests.bench.figure import say
from tests.bench.follow import Follower

COLUMNS = r"""{.status.phase},{.status.canaryWeight}{'\n'}"""
POLL = 0.02  # seconds


@dataclass(frozen=True, slots=True)
class Change:
    """A Canary's phase or weight became another; `at` is Unix time, as in the API server's audit log."""

    at: float
    phase: str
    weight: int

    @staticmethod
    def from_line(at: float, line: str) -> "Change":
        """From a line of COLUMNS. A Canary that nobody has looked at yet has neither phase nor weight."""
        phase, _, weight = line.rstrip("\n").partition(",")
        return Change(at, phase, int(weight or 0))


class Course(Follower):
    """In the `with` block it follows the Canary `name` of `namespace`; `changes` grows."""

    def __init__(self, namespace: str, name: str) -> None:
        super().__init__("-n", namespace, "get", "canary", name, "--watch", f"--output=jsonpath={COLUMNS}")
        self._name = name
        self.changes: list[Change] = []

    def heard(self, line: str) -> None:
        change = Change.from_line(time.time(), line)
        if not self.changes or (change.phase, change.weight) != (self.changes[-1].phase, self.changes[-1].weight):
            self.changes.append(change)
            say(f"    {change.phase or 'nobody has seen the Canary yet'}, weight {change.weight}")

    def since(self, at: float) -> list[Change]:
        """The changes from this time on, Unix time."""
        return [change for change in list(self.changes) if change.at >= at]

    def until(self, phase: str, since: float, seconds: float) -> Change:
        """Wait for a phase that begins after `since`; fails after `seconds`, or at once when it can no longer come."""
        deadline = time.monotonic() + seconds
        while True:
            for change in self.since(since):
                if change.phase == phase:
                    return change
                assert change.phase != "Failed", f"canary/{self._name}: Failed instead of {phase}"
            assert not self.ended, f"the watch of canary/{self._name} ended: is the Canary there?"
            assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {phase}; changes: {self.changes}"
            time.sleep(POLL)
