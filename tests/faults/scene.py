"""What every row plays on: a managed application and its unmanaged twin, updated together, under the same traffic."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.bench.application import Application
from tests.cluster.kubectl import Object
from tests.faults.analyzers import Analyzers
from tests.faults.subject import POLL, Managed, Subject

LONGEST_RECOVERY = 120.0  # seconds
AT_REST = ("Succeeded", "Failed", "Initialized")


@dataclass(frozen=True, slots=True)
class Scale:
    """How much of a row: `rate` is requests a second to each of the two; `short` leaves out what is only more."""

    rate: float = 100.0
    short: bool = False


FULL = Scale()
SHORT = Scale(rate=10.0, short=True)


class Scene(Subject):
    """Where one row plays. `fault` says when something is broken."""

    def __init__(
        self, managed: Managed, twin: Application, scale: Scale = FULL, analyzers: Analyzers | None = None
    ) -> None:
        super().__init__(managed)
        self.twin = twin
        self.short = scale.short
        self._analyzers = analyzers
        self.recovery: list[float] = []

    @property
    def analyzers(self) -> Analyzers:
        """The analyzers on the host."""
        assert self._analyzers, "a row that starts analyzers has Leader.OWN, one that needs one that stays Leader.HOST"
        return self._analyzers

    def update(self, tag: str = "6.0.1") -> None:
        """What the users of both type: the plain rolling update of the twin begins with the canary."""
        self.managed.set_image(tag)
        self.twin.set_image(tag)

    @contextmanager
    def fault(self) -> Iterator[None]:
        """Something is broken in the block. After it, wait until the run goes on, and note how long that took."""
        yield
        over = time.monotonic()
        before: Object = {}
        while time.monotonic() < over + LONGEST_RECOVERY:
            status = self.status()
            before = before or status or {}
            if status and (status != before or status["phase"] in AT_REST):
                self.recovery.append(time.monotonic() - over)
                return
            time.sleep(POLL)
        raise AssertionError(f"{LONGEST_RECOVERY:.0f} s after the fault nothing has moved: {before}")
