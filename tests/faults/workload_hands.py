"""Rows about hands and nodes: what is deleted, edited, evicted or killed in the middle of a canary."""

import json
from collections.abc import Callable
from functools import partial

from tests.bench.application import Application
from tests.cluster.kubectl import Object, eventually
from tests.faults.result import Slack
from tests.faults.row import Leader, row
from tests.faults.scene import Scene

CANARY = "podinfo-canary"
AWAY = Slack(100, "of the canary's share, until the router has seen that its Service is right again")
UNHURRIED = {"interval": "4s", "threshold": 10, "stepWeight": 20, "maxWeight": 60}


def _running(application: Application, new: bool) -> list[str]:
    """The names of the pods that run: of the version that is new there, or of the one before."""
    pods = [pod for pod in application.get("pods")["items"] if "deletionTimestamp" not in pod["metadata"]]
    return [pod["metadata"]["name"] for pod in pods if _image(pod).endswith(":6.0.1") is new]


def _image(pod: Object) -> str:
    return str(pod["spec"]["containers"][0]["image"])


def _evict(application: Application, pod: str) -> None:
    """As a node that is drained does it: by the eviction API, which asks the disruption budgets."""
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod}}
    path = f"/api/v1/namespaces/{application.namespace}/pods/{pod}/eviction"
    application("create", "--raw", path, "-f", "-", stdin=json.dumps(eviction))


def _is_back(scene: Scene, kind: str, ready: bool = False) -> None:
    """What was deleted is there again."""
    eventually(lambda: scene.managed.exists(kind, CANARY), f"{kind} {CANARY} is back", 60)
    if ready:
        scene.managed("rollout", "status", f"deployment/{CANARY}", "--timeout=60s")


@row(Leader.POD, AWAY, analysis=UNHURRIED)
def canary_parts_deleted_by_hand(scene: Scene) -> None:
    """The canary's Ingress, its Service, its pods and its Deployment deleted one after another, each with traffic on
    it: each is put back, and the canary is promoted."""
    scene.update()
    scene.until_weight(20)
    for kind in ("ingress", "service"):
        scene.managed("delete", kind, CANARY)
        _is_back(scene, kind)
    for pod in _running(scene.managed, new=True):
        scene.managed("delete", "pod", pod, "--wait=false")
    scene.until_weight(40)
    scene.managed("delete", "deployment", CANARY, "--wait=false")
    _is_back(scene, "deployment", ready=True)
    scene.ends("Succeeded", "6.0.1")


@row(Leader.POD, AWAY, analysis=UNHURRIED)
def canary_parts_edited_by_hand(scene: Scene) -> None:
    """A key added to the selector of the canary's Service, the canary scaled to 0, the weight of its Ingress set to
    100: each is put right, and the canary is promoted."""
    scene.update()
    scene.until_weight(20)
    weight = "nginx.ingress.kubernetes.io/canary-weight"
    edits: list[tuple[tuple[str, ...], str, Callable[[Object], object]]] = [
        (
            ("patch", "service", CANARY, "-p", json.dumps({"spec": {"selector": {"tier": "nobody"}}})),
            "service",
            lambda found: "tier" not in found["spec"]["selector"],
        ),
        (("scale", "deployment", CANARY, "--replicas=0"), "deployment", lambda found: found["spec"]["replicas"]),
        (
            ("annotate", "--overwrite", "ingress", CANARY, f"{weight}=100"),
            "ingress",
            lambda found: found["metadata"]["annotations"][weight] != "100",
        ),
    ]
    for edit, kind, is_right in edits:
        scene.managed(*edit)
        eventually(partial(lambda right, kind: right(scene.managed.get(kind, CANARY)), is_right, kind), kind, 30)
        scene.managed("rollout", "status", f"deployment/{CANARY}", "--timeout=60s")
    scene.ends("Succeeded", "6.0.1")


@row(Leader.POD, Slack(20, "it is the canary's only pod: nobody can answer until the routes know"), analysis=UNHURRIED)
def canary_evicted(scene: Scene) -> None:
    """The canary's pods, and the new ones of the plain update, are evicted as by a drained node: promoted."""
    scene.update()
    scene.until_weight(20)
    for application in (scene.managed, scene.twin):
        for pod in _running(application, new=True)[:1]:
            _evict(application, pod)
    scene.ends("Succeeded", "6.0.1")


@row(Leader.POD, analysis=UNHURRIED)
def primarys_pod_killed(scene: Scene) -> None:
    """One of the primary's two pods deleted in mid-canary, and one of the plain update's: promoted."""
    scene.update()
    scene.until_weight(20)
    for application, new in ((scene.managed, False), (scene.twin, True)):
        application("delete", "pod", _running(application, new)[0], "--wait=false")
    scene.ends("Succeeded", "6.0.1")


@row(Leader.POD, Slack(200, "both are at 0 replicas, and not for equally long"), analysis=UNHURRIED)
def scaled_to_nothing_and_back(scene: Scene) -> None:
    """Both scaled to 0 in mid-canary, and to 2 again: the canary goes, the update is kept, and analysed anew."""
    scene.update()
    scene.until_weight(20)
    for application in (scene.managed, scene.twin):
        application("scale", "deployment", "podinfo", "--replicas=0")
    scene.managed.until_gone()
    assert scene.managed.waiting, "the update is kept"
    for application in (scene.managed, scene.twin):
        application("scale", "deployment", "podinfo", "--replicas=2")
    scene.ends("Succeeded", "6.0.1")
