"""A row about a clock that is set in the middle of a canary: that of one process, by libfaketime; the machine's stays.

https://github.com/wolfcw/libfaketime: the file has an offset, which is read anew for each look at the clock.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.cluster.kubectl import Object
from tests.faults.row import Leader, row
from tests.faults.scene import Scene
from tests.faults.sightings import Sightings

STEPS = (timedelta(hours=1), timedelta(hours=-1), timedelta(days=400), timedelta(days=-1))
STEADY: Object = {"interval": "3s", "stepWeight": 20, "maxWeight": 60, "threshold": 1}
INTERVAL = 3.0  # seconds, as there
DRAIN = 5.0  # seconds, the default
TOLERANCE = 0.5  # seconds by which a status may be seen late


class Watch:
    """A clock that can be set: `environment` gives a process its time."""

    def __init__(self, folder: Path) -> None:
        self._offset = folder / "offset"
        self.set(timedelta(0))
        [library] = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
        self.environment = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._offset),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # waiting is done by that one, and nobody can set it
            "NO_FAKE_STAT": "1",
        }

    def set(self, offset: timedelta) -> None:
        """From now on it is that much later than it is."""
        whole = self._offset.with_suffix(".new")
        whole.write_text(f"{offset.total_seconds():+.0f}\n")
        whole.replace(self._offset)


@contextmanager
def _watch() -> Iterator[Watch]:
    with TemporaryDirectory(prefix="detour-clock-") as folder:
        yield Watch(Path(folder))


@row(Leader.OWN, analysis=STEADY)
def a_clock_that_is_set(scene: Scene) -> None:
    """The clock goes an hour forward, an hour back, 400 days forward and a day back, in the middle of the analysis, of
    the promotion and of the drain: no step and no second of the drain is left out, nothing hangs, promoted."""
    with _watch() as clock, scene.analyzers.reserved_for("a"):
        scene.analyzers.lead("a", env=clock.environment)
        for tag, steps in (("6.0.1", STEPS), ("6.0.2", STEPS[::-1]))[: 1 if scene.short else 2]:
            with Sightings(scene) as seen:
                scene.update(tag)
                for weight, step in zip((20, 40), steps, strict=False):
                    scene.until_weight(weight)
                    clock.set(step)
                scene.until_phase("Promoting")
                clock.set(steps[2])
                scene.until(lambda status: status["phase"] == "Finalising" and not status["canaryWeight"], "the drain")
                clock.set(steps[3])
                scene.ends("Succeeded", live=tag)
            _nothing_was_left_out(scene, seen)


def _nothing_was_left_out(scene: Scene, seen: Sightings) -> None:
    weights = {weight: seen.lasted(f"{weight} %") for weight in (20, 40, 60)}
    told = ", ".join(f"{seconds:.1f} s at {weight} %" for weight, seconds in weights.items())
    scene.note(f"{told}, then {seen.lasted('the drain'):.1f} s without weight")
    assert all(seconds >= INTERVAL - TOLERANCE for seconds in weights.values()), f"an interval was cut short: {told}"
    assert seen.lasted("the drain") >= DRAIN - TOLERANCE, "the drain was cut short"
