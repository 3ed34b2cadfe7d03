"""Applications that run no pod: for what is decided while a request is answered, which then takes a second.

A paused Deployment gets no ReplicaSet; with `maxUnavailable: 100%` its controller calls it available all the same, so
that Detour protects it. Its policy does not exist, so the analyzer has nothing to begin.
"""

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.cluster.kubectl import Object, kubectl
from tests.cluster.shop import Shop
from webhook import stash

NOWHERE = "nobody-wrote-it"
"""A policy: updates are diverted, and wait."""


@dataclass
class Podless(Shop):
    """A shop of nothing but a Deployment. `labels` are the Namespace's."""

    labels: Mapping[str, str] = field(default_factory=lambda: {stash.POLICY: NOWHERE})

    def deployment(self, tag: str = "6.0.0", **container: Any) -> Object:
        found = super().deployment(tag, **container)
        found["spec"] |= {"paused": True, "strategy": {"rollingUpdate": {"maxUnavailable": "100%", "maxSurge": 1}}}
        return found

    def open(self) -> None:
        """The namespace alone."""
        metadata = {"name": self.namespace, "labels": dict(self.labels)}
        kubectl("create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}))

    def create(self, deployment: Object | None = None) -> None:
        """The Deployment, and wait until it counts as available."""
        self.apply(deployment or self.deployment())
        self("wait", "deployment/podinfo", "--for=condition=Available", "--timeout=60s")


def stored(shop: Shop) -> Object:
    """What a write of the Deployment changes, its controller's status aside."""
    found = shop.primary
    kept = ("labels", "annotations", "generation")
    return {"spec": found["spec"], **{key: found["metadata"].get(key) for key in kept}}


@contextmanager
def podless(**options: Any) -> Iterator[Podless]:
    """An empty namespace for one; it goes with the test."""
    shop = Podless(f"idle-{secrets.token_hex(3)}", **options)
    shop.open()
    try:
        yield shop
    finally:
        kubectl("delete", "namespace", shop.namespace, "--wait=false")
