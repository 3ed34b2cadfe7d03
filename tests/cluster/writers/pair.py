"""A Deployment that Detour manages, and its twin in a namespace without Detour: the best oracle that there is.

Neither runs a pod, since these tests are about requests: a paused Deployment gets no ReplicaSet, and no scheduler knows
the pods of one that is not. With `maxUnavailable: 100%` it counts as available all the same, so no rule lets its
updates through directly. Their policy does not exist, so the analyzer has nothing to begin.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.cluster.kubectl import Answer, Object, Said, eventually, get, kubectl
from tests.cluster.shop import Shop
from webhook import stash

CONTROLLER = "kube-controller-manager"
REPLICA_SET = "deployment.kubernetes.io/revision"


@dataclass(frozen=True, slots=True)
class Place:
    """One Deployment. `paused`: so that it makes no ReplicaSet; `runs`: it has real pods after all."""

    namespace: str
    name: str
    paused: bool = True
    runs: bool = False

    def __call__(self, *arguments: str, **options: Any) -> Said:
        """kubectl in its namespace."""
        return kubectl("-n", self.namespace, *arguments, **options)

    def manifest(self, tag: str = "6.0.0", **container: Any) -> Object:
        """Its manifest with this version, and these fields of the container."""
        pod = {} if self.runs else {"schedulerName": "nobody"}
        found = Shop(self.namespace, replicas=1, pod=pod).deployment(tag, **container)
        found["metadata"]["name"] = self.name
        for labels in (found["spec"]["selector"]["matchLabels"], found["spec"]["template"]["metadata"]["labels"]):
            labels["app"] = self.name
        found["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] = 0 if self.runs else "100%"
        found["spec"] |= {"paused": True} if self.paused else {}
        return found

    def send(self, manifest: Object, line: str = "apply") -> Said:
        """`kubectl <line> -f` of a manifest."""
        if line.startswith("replace"):
            self.settled()  # or it may be refused: the controller has written meanwhile
        return self(*line.split(), "-f", "-", stdin=json.dumps(manifest))

    def get(self, *arguments: str) -> Object:
        """What its namespace has."""
        return get("-n", self.namespace, *arguments)

    @property
    def deployment(self) -> Object:
        return self.get("deployment", self.name)

    @property
    def template(self) -> Object:
        """What it runs."""
        return dict(self.deployment["spec"]["template"])

    @property
    def waiting(self) -> Object | None:
        """The template that is diverted."""
        found = stash.diverted(self.deployment)
        return found.template if found else None

    @property
    def keys(self) -> set[str]:
        """The labels and annotations of Detour on it."""
        metadata = self.deployment["metadata"]
        found: set[str] = metadata.get("labels", {}).keys() | metadata.get("annotations", {}).keys()
        return found & (stash.LABELS | stash.ANNOTATIONS)

    def settled(self) -> Object:
        """The Deployment with its managedFields, when its controller has seen it and writes no more."""

        def seen() -> Object | None:
            found = self.get("deployment", self.name, "--show-managed-fields")
            done = found.get("status", {}).get("observedGeneration") == found["metadata"]["generation"]
            return found if done else None

        return eventually(seen, f"the controller has seen {self.name}", 60) or {}


Command = Callable[[Place], Said]


@dataclass(frozen=True, slots=True)
class Pair:
    """The managed Deployment and its twin."""

    managed: Place
    twin: Place

    def both(self, command: Callable[[Place], Answer]) -> Answer:
        """Do the same to both; what came of it at the managed one."""
        command(self.twin)
        return command(self.managed)


Pairs = Callable[..., Pair]
"""Makes a pair: `created`, the command that the first manifest comes by, and `paused`."""

Running = Callable[..., Place]
"""Makes a Deployment with a pod that is ready, a Service and an Ingress: `created`, as above."""


def beside(deployment: Object) -> Object:
    """All that a user may have changed but the template, and nothing of Detour's."""
    metadata, namespace = deployment["metadata"], deployment["metadata"]["namespace"]
    ours = stash.LABELS | stash.ANNOTATIONS | {REPLICA_SET}
    kinds = {
        kind: {key: value.replace(namespace, "") for key, value in metadata.get(kind, {}).items() if key not in ours}
        for kind in ("labels", "annotations")
    }
    return {**kinds, **{key: part for key, part in deployment["spec"].items() if key != "template"}}


def owned(deployment: Object) -> dict[tuple[str, str], Object]:
    """Which fields belong to whom, but for what the controllers own."""
    return {
        (entry.get("manager", ""), entry["operation"]): entry["fieldsV1"]
        for entry in deployment["metadata"]["managedFields"]
        if entry.get("manager") != CONTROLLER
    }
