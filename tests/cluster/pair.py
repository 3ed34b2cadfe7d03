"""A Deployment that Detour manages, and its twin in a namespace without Detour: the best oracle that there is.

Neither runs a pod, since these tests are about requests (see `tests.cluster.podless`).
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from tests.cluster.deployed import Deployed, Owner, ours
from tests.cluster.kubectl import Answer, Object, Said, kubectl
from tests.cluster.namespaces import namespace
from tests.cluster.podless import MANAGED, NO_PODS, always_available
from tests.cluster.shop import Shop

CONTROLLER = "kube-controller-manager"
REPLICA_SET = "deployment.kubernetes.io/revision"

Side = TypeVar("Side")


@dataclass(frozen=True, slots=True)
class Pair(Generic[Side]):
    """Something in a managed namespace and its twin."""

    managed: Side
    twin: Side

    def both(self, command: Callable[[Side], Answer]) -> tuple[Answer, Answer]:
        """Do the same to both: what came of it at the managed one, and at its twin."""
        theirs = command(self.twin)
        return command(self.managed), theirs


@contextmanager
def sides(topic: str) -> Iterator[Pair[str]]:
    """Two namespaces that allow no pods: one falls under a policy that does not exist, the other is without Detour."""
    with namespace(topic, MANAGED) as managed, namespace(f"{topic}-twin") as twin:
        for place in (managed, twin):
            kubectl("-n", place, "create", "-f", "-", stdin=json.dumps(NO_PODS))
        yield Pair(managed, twin)


@dataclass(frozen=True, slots=True)
class Place(Deployed):
    """One Deployment among others. `paused`: so that it makes no ReplicaSet; `runs`: it has real pods after all."""

    namespace: str
    name: str
    paused: bool = True
    runs: bool = False

    def manifest(self, tag: str = "6.0.0", **container: object) -> Object:
        """Its manifest with this version, and these fields of the container."""
        found = Shop(self.namespace, replicas=1).deployment(tag, **container)
        found["metadata"]["name"] = self.name
        for labels in (found["spec"]["selector"]["matchLabels"], found["spec"]["template"]["metadata"]["labels"]):
            labels["app"] = self.name
        found["spec"] |= {} if self.runs else {"strategy": always_available()}
        found["spec"] |= {"paused": True} if self.paused else {}
        return found

    def send(self, manifest: Object, line: str = "apply") -> Said:
        """`kubectl <line> -f` of a manifest."""
        if line.startswith("replace"):
            self.settled()  # or it may be refused: the controller has written meanwhile
        return self(*line.split(), "-f", "-", stdin=json.dumps(manifest))


Places = Pair[Place]

Command = Callable[[Place], Said]

Pairs = Callable[..., Places]
"""Makes a pair: `created`, the command that the first manifest comes by, and `paused`."""

Running = Callable[..., Place]
"""Makes a Deployment with a pod that is ready, a Service and an Ingress: `created`, as above."""


def beside(deployment: Object) -> Object:
    """All that a user may have changed but the template, and nothing of Detour's."""
    metadata, namespace = deployment["metadata"], deployment["metadata"]["namespace"]
    left_out = ours(deployment) | {REPLICA_SET}
    kinds = {
        kind: {key: text.replace(namespace, "") for key, text in metadata.get(kind, {}).items() if key not in left_out}
        for kind in ("labels", "annotations")
    }
    return {**kinds, **{key: part for key, part in deployment["spec"].items() if key != "template"}}


def owned(deployment: Object) -> dict[Owner, Object]:
    """Which fields belong to whom, the template's and all others, but for what the controllers own."""
    return {
        (entry.get("manager", ""), entry["operation"]): entry["fieldsV1"]
        for entry in deployment["metadata"]["managedFields"]
        if entry.get("manager") != CONTROLLER
    }
