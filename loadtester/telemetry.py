"""The load tester's own metrics, in Prometheus' text format."""

import threading
from collections import Counter
from enum import StrEnum

TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Event(StrEnum):
    """What can become of a task."""

    STARTED = "started"
    JOINED = "joined"
    REFUSED = "refused"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXPIRED = "expired"


class Telemetry:
    """Counts. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock, self._counts = threading.Lock(), Counter[Event]()

    def count(self, event: Event) -> None:
        """One more of these."""
        with self._lock:
            self._counts[event] += 1

    def exposition(self) -> str:
        """All metrics as text."""
        with self._lock:
            counts = {event: self._counts[event] for event in Event}
        running = counts[Event.STARTED] - sum(counts[e] for e in (Event.SUCCEEDED, Event.FAILED, Event.EXPIRED))
        return "\n".join(
            [
                "# HELP detour_loadtester_tasks_total Tasks, by what became of them.",
                "# TYPE detour_loadtester_tasks_total counter",
                *(f'detour_loadtester_tasks_total{{event="{event}"}} {count}' for event, count in counts.items()),
                "# HELP detour_loadtester_tasks_running Tasks that run now.",
                "# TYPE detour_loadtester_tasks_running gauge",
                f"detour_loadtester_tasks_running {running}",
                "",
            ]
        )
