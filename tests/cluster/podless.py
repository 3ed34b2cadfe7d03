"""Applications that run no pod: for what is decided while a request is answered, which then takes a second.

A paused Deployment gets no ReplicaSet, one in a namespace with the quota `NO_PODS` no pod. With `maxUnavailable: 100%`
its controller calls it available all the same, so that Detour protects it. Its policy does not exist, so the analyzer
has nothing to begin.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from tests.cluster import namespaces
from tests.cluster.kubectl import Object
from tests.cluster.namespaces import unique
from tests.cluster.shop import Shop, opened
from webhook import stash

MANAGED = {stash.POLICY: "nobody-wrote-it"}
"""Labels of a namespace: updates are diverted, and wait."""
NO_PODS = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "no-pods"},
    "spec": {"hard": {"pods": "0"}},
}


def always_available() -> Object:
    """The strategy of what counts as available with no pod."""
    return {"rollingUpdate": {"maxUnavailable": "100%", "maxSurge": 1}}


def paused(deployment: Object) -> Object:
    """The same, so that it runs nowhere, and counts as available."""
    return {**deployment, "spec": {**deployment["spec"], "paused": True, "strategy": always_available()}}


@dataclass
class Podless(Shop):
    """A shop of nothing but a Deployment. `labels` are the Namespace's."""

    labels: Mapping[str, str] = field(default_factory=lambda: MANAGED)

    def deployment(self, tag: str = "6.0.0", **container: Any) -> Object:
        return paused(super().deployment(tag, **container))

    def open(self) -> None:
        """The namespace alone."""
        namespaces.create(self.namespace, self.labels)

    def create(self, deployment: Object | None = None) -> None:
        """The Deployment, and wait until it counts as available."""
        self.apply(deployment or self.deployment())
        self("wait", "deployment/podinfo", "--for=condition=Available", "--timeout=60s")


def stored(shop: Shop) -> Object:
    """What a write of the Deployment changes, its controller's status aside."""
    found = shop.primary
    kept = ("labels", "annotations", "generation")
    return {"spec": found["spec"], **{key: found["metadata"].get(key) for key in kept}}


def podless(**options: Any) -> AbstractContextManager[Podless]:
    """An empty namespace for one; it goes with the test."""
    return opened(Podless(unique("idle"), **options))
