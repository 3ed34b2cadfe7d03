"""Rows about what runs pods and leads traffic to them: Traefik, the controller manager, the kubelet."""

import time
from contextlib import closing

from tests.cluster.kubectl import kubectl
from tests.faults.components import standing_still
from tests.faults.result import Slack
from tests.faults.row import Leader, row
from tests.faults.scene import Scene
from tests.faults.subject import STEPS

AWAY = 20.0  # seconds; the node counts as lost after forty
ALL_CUT_OFF = Slack(100, "the Ingress controller serves both and cuts both off, if not at the very same request")


def replace_traefik() -> None:
    """Kill it without a word, and have another in its place: a kubelet lets a killed container wait, a new pod not."""
    where = ("-n", "ingress")
    kubectl(*where, "delete", "pod", "--all", "--grace-period=0", "--force")
    kubectl(*where, "rollout", "status", "deployment/traefik", "--timeout=60s")


@row(Leader.NOBODY, slack=ALL_CUT_OFF, analysis={**STEPS, "interval": "12s", "maxWeight": 20})
def ingress_controller_killed(scene: Scene) -> None:
    """Traefik is killed at the first weight and in the promotion, and another one comes: the canary has its share again
    each time, and is promoted."""
    scene.update()
    scene.until_weight(20)
    replace_traefik()
    _has_its_share(scene, 20)
    scene.until_phase("Promoting")
    with scene.fault():
        replace_traefik()
    scene.ends("Succeeded", live="6.0.1")


@row(Leader.NOBODY)
def controller_manager_standing_still(scene: Scene) -> None:
    """The controller manager stands still from the update on for 20 seconds, so that nothing is made of
    any Deployment: the canary comes up afterwards, and is promoted."""
    _away(scene, "kube-controller-manager")


@row(Leader.NOBODY)
def kubelet_standing_still(scene: Scene) -> None:
    """The kubelet stands still from the update on for 20 seconds, so that no pod is started: the canary comes up
    afterwards, and is promoted."""
    _away(scene, "kubelet")


@row(Leader.NOBODY, spec={"progressDeadlineSeconds": 10})
def kubelet_away_for_longer_than_the_deadline(scene: Scene) -> None:
    """The kubelet stands still for longer than the progress deadline of 10 seconds: the update is rejected, and the
    message says that the canary is not ready."""
    with standing_still("kubelet"):
        scene.update()
        scene.until(lambda status: bool(status.get("ending")), "it is given up", 35)
    scene.ends("Failed", live="6.0.0", says="not ready")


def _has_its_share(scene: Scene, weight: int) -> None:
    """Of requests sent now; the widest range that is neither none nor twice as many."""
    with closing(scene.managed.traffic(50, 100)) as users:
        users.start()
        versions = [answer.version for answer in users.join() if not answer.failure]
    share = 100 * versions.count("6.0.1") / len(versions)
    scene.note(f"afterwards the canary has {share:.0f} % of {len(versions)} requests, its weight is {weight}")
    assert weight / 2 < share < weight * 2, f"the canary has {share:.0f} % of the requests, not {weight}"


def _away(scene: Scene, component: str) -> None:
    with scene.fault(), standing_still(component):
        scene.update()
        time.sleep(AWAY)
        assert (scene.status() or {}).get("canaryWeight", 0) == 0, "it has weight and no pods"
    scene.ends("Succeeded", live="6.0.1")
