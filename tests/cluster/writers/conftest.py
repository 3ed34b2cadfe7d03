"""Fixtures of the tests about writers."""

from collections.abc import Iterator

import pytest

from tests.cluster.namespaces import namespace, unique
from tests.cluster.pair import Place, Running
from tests.cluster.policies import policies
from tests.cluster.shop import CALM, Shop
from webhook import stash


@pytest.fixture(scope="session")
def street() -> Iterator[str]:
    """A namespace under a policy that judges nothing, and takes its time."""
    with policies() as write, namespace("writers", {stash.POLICY: write(stepWeights=[50], **CALM)}) as name:
        yield name


@pytest.fixture
def running(street: str) -> Running:
    """A Deployment that has a canary when it changes."""

    def make(created: str = "apply") -> Place:
        place = Place(street, unique("app"), paused=False, runs=True)
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
