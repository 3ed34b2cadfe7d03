"""The loop: one application at a time, and only when something concerns it. Whatever fails is tried again, later."""

import threading
from collections.abc import Callable, Sequence

from analyzer import telemetry, trace
from analyzer.agenda import Agenda, Key
from analyzer.attempts import Attempts, Duty
from analyzer.pace import Pace


class Controller:
    """Works off an agenda with a few threads. `knows` tells whether there is anything left of an application."""

    def __init__(self, agenda: Agenda, duties: Sequence[Duty], knows: Callable[[Key], bool]) -> None:
        self._agenda = agenda
        self._duties = duties
        self._knows = knows
        self._attempts = Attempts()
        self._pace = Pace()

    def start(self, workers: int = 16) -> None:
        """Begin to work; ends when the agenda is closed."""
        for number in range(workers):
            threading.Thread(target=self._work, name=f"worker-{number}", daemon=True).start()

    def _work(self) -> None:
        while (key := self._agenda.take()) is not None:
            try:
                wake = self._pace.wait(key) or self.attend(key)
            finally:
                self._agenda.done(key)
            if wake is not None:
                self._agenda.add(key, wake)

    def attend(self, key: Key) -> float | None:
        """All that there is to do for one application; returns in how many seconds to look again, if at all."""
        with trace.about(*key), telemetry.RECONCILE_SECONDS.time():
            wake = self._attempts.all_of(key, *self._duties)
        if wake is None and not self._knows(key):
            self._pace.forget(key)
        return wake
