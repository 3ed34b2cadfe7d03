"""A moment: one write, and the world before and after it. What a promise is about, and the page they are on."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from analyzer.actions import Action, Ask
from analyzer.status import Phase, Status

if TYPE_CHECKING:
    from tests.analyzer.world import World


@dataclass(frozen=True, slots=True)
class Serving:
    """A write of the model alone: the canary's Service selects this revision's pods, which `Route` does before it."""

    revision: str


@dataclass(frozen=True, slots=True)
class Unserve:
    """A write of the model alone: the canary's Service is deleted, which `RemoveCanary` does first."""


Write = Action | Status | Serving | Unserve


@dataclass(frozen=True, slots=True)
class Moment:
    """The world just before a write and just after it."""

    before: "World"
    write: Write
    after: "World"

    @property
    def status(self) -> Status | None:
        """The status that is stored now, if that is what was written."""
        return self.write if isinstance(self.write, Status) else None

    @property
    def more_traffic(self) -> bool:
        """Whether the canary has a greater share than before."""
        return (self.after.route or 0) > max(self.before.route or 0, 0)

    @property
    def ended(self) -> bool:
        """Whether what was on its way has ended with this."""
        return bool(self.status and self.before.status.phase.in_flight and self.status.phase in ENDED)


Promise = Callable[[Moment], bool]
PROMISES: list[Promise] = []
ENDED = (Phase.SUCCEEDED, Phase.FAILED)


def promise(kept: Promise) -> Promise:
    """On the page."""
    PROMISES.append(kept)
    return kept


def breaches_of(moment: Moment) -> list[str]:
    """The promises that are broken at a moment, and by what."""
    return [f"{each.__name__}: {_short(moment.write)}" for each in PROMISES if not each(moment)]


def drained(moment: Moment) -> bool:
    last, world = moment.before.last_traffic, moment.before
    return last is None or world.now - last >= timedelta(seconds=world.spec.drain)


def is_ask(moment: Moment, verb: str) -> bool:
    return isinstance(moment.write, Ask) and moment.write.verb == verb


def _short(write: Write) -> str:
    if isinstance(write, Status):
        return f"stored {write.phase} at weight {write.weight}, {write.ending}"
    return str(write)
