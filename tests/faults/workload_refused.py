"""Rows about pods that somebody refuses: the namespace's quota, limits and security, or every node."""

import json

from tests.bench.application import Application
from tests.cluster.kubectl import Object, eventually, kubectl
from tests.faults.row import Leader, row
from tests.faults.scene import Scene
from tests.faults.workload_bad import SOON, is_rejected, plainly


def _limit_range(application: Application, **limits: str) -> None:
    """Rules about the memory of containers."""
    rule = {"type": "Container", **{kind: {"memory": amount} for kind, amount in limits.items()}}
    made = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "limits"}, "spec": {"limits": [rule]}}
    application("create", "-f", "-", stdin=json.dumps(made))


@row(Leader.POD, spec=SOON)
def quota_is_used_up(scene: Scene) -> None:
    """A quota of as many pods as run: fails at its deadline, and repeats the ReplicaSet's reason."""
    for application in (scene.managed, scene.twin):
        application("create", "quota", "small", "--hard=pods=2")
        used = "the quota counts"
        eventually(lambda app=application: app.get("quota", "small").get("status", {}).get("used"), used, 20)  # type: ignore[misc]
    is_rejected(scene, plainly(), "exceeded quota: small, requested: pods=1, used: pods=2, limited: pods=2")


@row(Leader.POD, spec=SOON)
def limit_range_refuses(scene: Scene) -> None:
    """More memory than the LimitRange lets a container have: fails at its deadline, and repeats the reason."""
    for application in (scene.managed, scene.twin):
        _limit_range(application, max="64Mi")
    resources = {"limits": {"memory": "128Mi"}}
    is_rejected(scene, plainly(resources=resources), "maximum memory usage per Container is 64Mi")


@row(Leader.POD)
def limit_range_fills_in(scene: Scene) -> None:
    """A LimitRange that gives every container a limit: that is no other version, the canary is promoted."""
    for application in (scene.managed, scene.twin):
        _limit_range(application, default="256Mi", defaultRequest="8Mi")
    scene.update()
    scene.ends("Succeeded", "6.0.1")
    [limits] = {_limit(pod) for pod in scene.managed.get("pods")["items"] if "deletionTimestamp" not in pod["metadata"]}
    assert limits == "256Mi"
    scene.managed.set_image("6.0.1")
    assert scene.managed.waiting is None


def _limit(pod: Object) -> str:
    return str(pod["spec"]["containers"][0]["resources"].get("limits", {}).get("memory"))


@row(Leader.POD, spec=SOON)
def pod_security_refuses(scene: Scene) -> None:
    """PodSecurity `restricted`, which the pods are not: fails at its deadline, and repeats the reason."""
    for application in (scene.managed, scene.twin):
        kubectl("label", "namespace", application.namespace, "pod-security.kubernetes.io/enforce=restricted")
    is_rejected(scene, plainly(), 'violates PodSecurity "restricted:latest"')


@row(Leader.POD, spec=SOON)
def no_node_has_the_processors(scene: Scene) -> None:
    """More processors than any node has: fails at its deadline, and repeats the scheduler's reason."""
    is_rejected(scene, plainly(resources={"requests": {"cpu": "1000"}}), "no node takes its pods: Insufficient cpu")
