"""Rows about an analyzer that dies beside every one of its writes: what is stored is all that a successor has."""

import threading
import time
from collections.abc import Callable

from tests.cluster.person import Person
from tests.faults.row import Leader, row
from tests.faults.scene import Scene
from tests.faults.subject import POLL

MISHAPS = {"kill after 1": "6.0.1", "kill before 3": "6.0.2"}
"""Each analyzer ends with its first write, so that every one is the last; or before its third, so that two of what
belongs together are stored, and the rest is not. And what is rolled out then."""
LONGEST = 300.0  # seconds of one run
PATIENT = {"progressDeadlineSeconds": 300}
"""Nothing fails because the analyzers of a slow machine take their time to start."""


def _nothing(_: Scene) -> None:
    """Users wait."""


def _update_again(scene: Scene) -> None:
    scene.managed("set", "env", "deployment/podinfo", f"ROUND={time.monotonic_ns()}")


def _abort(scene: Scene) -> None:
    """The command waits until it is heard, which takes an analyzer."""
    threading.Thread(target=Person(scene.managed), args=("abort", "podinfo")).start()


def _dying_all_the_way(scene: Scene, mishap: str, then: Callable[[Scene], None]) -> None:
    """Start one after the other, each with this mishap, until the run is over; `then` comes with the first weight."""
    lives: list[float] = []
    weighed, deadline = False, time.monotonic() + LONGEST
    while True:
        began = time.monotonic()
        analyzer = scene.analyzers.start("a", f"--mishap={mishap}")
        while analyzer.running:
            status = scene.status() or {}
            if not weighed and status.get("canaryWeight"):
                then(scene)
                weighed = True
            if weighed and status.get("phase") in ("Succeeded", "Failed"):
                analyzer.kill()
                assert len(lives) > 5, "hardly any analyzer died: this shows nothing"
                scene.note(f"{mishap}: {len(lives)} analyzers died, each {max(lives):.1f} s after its start at most")
                scene.recovery += lives
                return
            assert time.monotonic() < deadline, f"not over after {len(lives)} deaths: {status}; {analyzer.said[-500:]}"
            time.sleep(POLL)
        lives.append(time.monotonic() - began)


def _runs(scene: Scene, then: Callable[[Scene], None], phase: str, says: str = "") -> None:
    """One run for each mishap; at its end a whole analyzer, which finds little left to do."""
    live = "6.0.0"
    for mishap, tag in list(MISHAPS.items())[: 1 if scene.short else None]:
        with scene.analyzers.reserved_for("a"):
            scene.update(tag)
            _dying_all_the_way(scene, mishap, then)
            live = tag if phase == "Succeeded" else live
            whole = scene.analyzers.start("a")
            whole.until_at_work()
            scene.ends(phase, live=live, says=says)
            scene.managed.until_gone()
            whole.kill()


@row(Leader.OWN, spec=PATIENT)
def dying_at_every_write_of_a_success(scene: Scene) -> None:
    """Each analyzer is killed with its first write; in another run, each before its third: promoted."""
    _runs(scene, _nothing, "Succeeded")


@row(Leader.OWN, spec=PATIENT, verdict=0)
def dying_at_every_write_of_a_failure(scene: Scene) -> None:
    """As above, with bad versions: rejected."""
    _runs(scene, _nothing, "Failed")


@row(Leader.OWN, spec=PATIENT)
def dying_at_every_write_of_a_superseding(scene: Scene) -> None:
    """As above, with another update at the first weight: that one is promoted."""
    _runs(scene, _update_again, "Succeeded")


@row(Leader.OWN, spec=PATIENT)
def dying_at_every_write_of_an_abort(scene: Scene) -> None:
    """As above, with `detour abort` at the first weight: rejected."""
    _runs(scene, _abort, "Failed", says="aborted")
