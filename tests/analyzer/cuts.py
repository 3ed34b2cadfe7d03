"""How a run of an analyzer is cut: at one of its effects, and by what."""

from dataclasses import dataclass
from enum import Enum

from analyzer.actions import Emit, Measure

QUICK, LONG = 1.5, 3600.0  # seconds until a successor is at work: a restart, and longer than any deadline
TAKEOVER = 15.0  # seconds until another replica leads in place of one that is silent


class Way(Enum):
    """What happens at an effect."""

    DIES_BEFORE = "the process dies before it"
    DIES_AFTER = "the process dies after it"
    LOST_ANSWER = "it took effect, and no answer came"
    CONFLICT = "it was refused, since something changed meanwhile"
    STOPPED = "the process stands still before it, and wakes when another leads"


class Crash(Exception):
    """The process dies here."""

    def __init__(self, cut: "Cut") -> None:
        self.cut = cut


class Stopped(Crash):
    """The process stands still here (SIGSTOP), long enough to lose its lease."""


class Lost(Exception):
    """No answer; whether the request took effect is unknown."""


class Moved(Exception):
    """A conflict: it is not carried out, since what it is about has changed."""


class Fenced(Exception):
    """Another one leads, and the API server knows."""


@dataclass(frozen=True, slots=True)
class Cut:
    """One cut; `downtime` is in how many seconds a successor is at work, where it needs one."""

    way: Way
    downtime: float = QUICK

    def before(self, write: object) -> None:
        """What the process meets instead of having this done."""
        if self.way is Way.DIES_BEFORE:
            raise Crash(self)
        if self.way is Way.STOPPED:
            raise Stopped(self)
        if self.way is Way.CONFLICT and not isinstance(write, Emit | Measure):
            raise Moved

    def after(self, write: object) -> None:
        """What the process meets when it was done. That an event got no answer is told to nobody."""
        if self.way is Way.DIES_AFTER:
            raise Crash(self)
        if self.way is Way.LOST_ANSWER and not isinstance(write, Emit | Measure):
            raise Lost
