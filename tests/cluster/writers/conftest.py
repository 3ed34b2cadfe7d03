"""Fixtures of the tests about writers."""

import json
import secrets
from collections.abc import Iterator

import pytest

from tests.cluster.kubectl import kubectl
from tests.cluster.shop import Shop
from tests.cluster.writers.pair import Pair, Pairs, Place, Running
from webhook import stash


@pytest.fixture(scope="session")
def namespaces() -> Iterator[tuple[str, str]]:
    """One that falls under a policy that does not exist, and one without Detour."""
    token = secrets.token_hex(3)
    managed, free = f"writers-{token}", f"writers-{token}-twin"
    for name in (managed, free):
        kubectl("create", "namespace", name)
    kubectl("label", "namespace", managed, f"{stash.POLICY}=writers-have-none")
    yield managed, free
    kubectl("delete", "namespace", managed, free, "--wait=false")


@pytest.fixture(scope="session")
def pairs(namespaces: tuple[str, str]) -> Pairs:
    """A managed Deployment and its twin, both created in the same way."""

    def make(created: str = "apply", paused: bool = True) -> Pair:
        name = f"app-{secrets.token_hex(3)}"
        managed, twin = (Place(namespace, name, paused) for namespace in namespaces)
        for place in (managed, twin):
            place.send(place.manifest(), created)
        return Pair(managed, twin)

    return make


@pytest.fixture(scope="session")
def street() -> Iterator[str]:
    """A namespace under a policy that judges nothing, and takes its time."""
    name = f"writers-{secrets.token_hex(3)}"
    analysis = {"interval": "30s", "threshold": 2, "stepWeights": [50], "metrics": []}
    policy = {"apiVersion": "detour.dev/v1alpha1", "kind": "CanaryPolicy", "metadata": {"name": name}}
    kubectl("create", "-f", "-", stdin=json.dumps(policy | {"spec": {"analysis": analysis}}))
    kubectl("create", "namespace", name)
    kubectl("label", "namespace", name, f"{stash.POLICY}={name}")
    yield name
    kubectl("delete", f"namespace/{name}", f"canarypolicy/{name}", "--wait=false")


@pytest.fixture
def running(street: str) -> Running:
    """A Deployment that has a canary when it changes."""

    def make(created: str = "apply") -> Place:
        place = Place(street, f"app-{secrets.token_hex(3)}", paused=False, runs=True)
        shop = Shop(street)
        service, ingress = shop.service(), shop.ingress()
        service["metadata"]["name"] = ingress["metadata"]["name"] = place.name
        service["spec"]["selector"]["app"] = place.name
        rule = ingress["spec"]["rules"][0]
        rule["host"] = f"{place.name}.example.com"
        rule["http"]["paths"][0]["backend"]["service"]["name"] = place.name
        shop.apply(service, ingress)
        place.send(place.manifest(), created)
        place("rollout", "status", f"deployment/{place.name}", "--timeout=60s")
        return place

    return make
