"""Rows about our own processes: killed at every phase."""

from collections.abc import Callable, Mapping

from tests.cluster.kubectl import Object
from tests.faults.row import Leader, row
from tests.faults.scene import Scene

Moments = Mapping[str, Callable[[Object], bool]]
"""What a status of the Canary looks like then."""


def _weight(weight: int) -> Callable[[Object], bool]:
    return lambda status: int(status.get("canaryWeight", 0)) >= weight


def _phase(phase: str) -> Callable[[Object], bool]:
    return lambda status: bool(status.get("phase") == phase)


def _killed_at(scene: Scene, moments: Moments) -> None:
    """The leader is killed at each of these moments, and started again."""
    with scene.analyzers.reserved_for("a"):
        leader = scene.analyzers.lead("a")
        scene.update()
        for what, reached in moments.items():
            scene.until(reached, what)
            with scene.fault():
                leader.kill()
                leader = scene.analyzers.start("a")
            scene.note(f"killed at {what}: {scene.recovery[-1]:.1f} s until it went on")


@row(Leader.OWN)
def killed_at_every_phase(scene: Scene) -> None:
    """kill -9 before the canary is ready, at each weight, before and after the primary is switched, and in the drain;
    started again each time: promoted."""
    moments = {
        "Progressing": _phase("Progressing"),
        **{f"weight {weight}": _weight(weight) for weight in (20, 40, 60)},
        "Promoting": _phase("Promoting"),
        "the switch of the primary": lambda _: scene.managed.live_image == "6.0.1",
        "Finalising": _phase("Finalising"),
    }
    _killed_at(scene, moments)
    scene.ends("Succeeded", live="6.0.1")


@row(Leader.OWN, verdict=0)
def killed_on_the_way_out_of_a_failure(scene: Scene) -> None:
    """kill -9 at the first weight of a bad version, and again as soon as nothing is routed to it: rejected."""
    moments = {"weight 20": _weight(20), "weight 0 again": lambda status: not status.get("canaryWeight")}
    _killed_at(scene, moments)
    scene.ends("Failed", live="6.0.0")
