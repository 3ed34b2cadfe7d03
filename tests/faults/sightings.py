"""How long a canary stood at each weight, and in its drain, by looking all the time."""

import threading
import time
from types import TracebackType
from typing import Self

from tests.cluster.kubectl import Object
from tests.faults.scene import Scene
from tests.faults.subject import POLL


class Sightings:
    """Looks in the `with` block."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._over = threading.Event()
        self._seen: dict[str, tuple[float, float]] = {}
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(30)

    def lasted(self, place: str) -> float:
        """Seconds from the first to the last sight of `20 %`, `the drain`; 0 if it was never seen."""
        first, last = self._seen.get(place, (0.0, 0.0))
        return last - first

    def _look(self) -> None:
        while not self._over.wait(POLL):
            if place := _place(self._scene.status() or {}):
                now = time.monotonic()
                first, _ = self._seen.get(place, (now, now))
                self._seen[place] = first, now


def _place(status: Object) -> str:
    weight, phase = status.get("canaryWeight", 0), status.get("phase")
    if weight and phase == "Progressing":
        return f"{weight} %"
    return "the drain" if phase == "Finalising" and not weight else ""
