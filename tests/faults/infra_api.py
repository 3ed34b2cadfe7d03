"""Rows about the API server and etcd: restarted, standing still, slow."""

import time
from collections.abc import Callable, Mapping

from tests.cluster.kubectl import Object
from tests.faults.components import kill, slow, standing_still, until_the_api_server_answers
from tests.faults.result import Slack
from tests.faults.row import Leader, row
from tests.faults.scene import Scene
from tests.faults.subject import STEPS

BLIND = Slack(30, "the Ingress controller hears late of pods that went, of each application at its own moment")
API_SERVER, ETCD = "kube-apiserver", "etcd"
AWAY = 60.0  # seconds
PHASES: Mapping[str, Callable[[Object], bool]] = {
    "Progressing": lambda status: status.get("phase") == "Progressing",
    "weight 20": lambda status: status.get("canaryWeight", 0) >= 20,
    "Promoting": lambda status: status.get("phase") == "Promoting",
    "Finalising": lambda status: status.get("phase") == "Finalising",
}


@row(Leader.NOBODY, slack=BLIND)
def api_server_restarted(scene: Scene) -> None:
    """The API server is killed before the canary is ready, at the first weight, in the promotion and in the drain, and
    starts again each time: promoted."""
    _killed_in_each_phase(scene, API_SERVER)


@row(Leader.NOBODY, slack=BLIND)
def etcd_restarted(scene: Scene) -> None:
    """etcd is killed before the canary is ready, at the first weight, in the promotion and in the drain, and starts
    again each time: promoted."""
    _killed_in_each_phase(scene, ETCD)


@row(Leader.NOBODY, slack=BLIND, analysis={**STEPS, "threshold": 10})
def api_server_away_for_a_minute(scene: Scene) -> None:
    """At the first weight the API server stands still for a minute, so the leader gives up its lease: the canary keeps
    its weight meanwhile, and is promoted afterwards. The node may count as lost then, with all its pods, for seconds.
    """
    scene.update()
    scene.until_weight(20)
    with scene.fault():
        with standing_still(API_SERVER):
            time.sleep(10 if scene.short else AWAY)
        until_the_api_server_answers()
    scene.ends("Succeeded", live="6.0.1")


@row(Leader.NOBODY)
def etcd_slow(scene: Scene) -> None:
    """From before the update until the end etcd stands still for 1.5 of every 2 seconds: promoted, if later."""
    with slow(ETCD, still=1.5, moving=0.5):
        scene.update()
        scene.ends("Succeeded", live="6.0.1", seconds=240)


def _killed_in_each_phase(scene: Scene, component: str) -> None:
    """The twin rolls when the primary does: routers that hear late of pods that went send requests to nobody."""
    scene.managed.set_image("6.0.1")
    for what, reached in PHASES.items():
        scene.until(reached, what)
        if what == "Promoting":
            scene.twin.set_image("6.0.1")
        with scene.fault():
            kill(component)
            until_the_api_server_answers()
        scene.note(f"{component} killed at {what}: {scene.recovery[-1]:.1f} s until it went on")
    scene.ends("Succeeded", live="6.0.1")
