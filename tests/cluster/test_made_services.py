"""The Services that a Canary asks for by `spec.service`, and what of it goes on to those of its canary."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.cluster.kubectl import Object, eventually
from tests.cluster.namespaces import unique
from tests.cluster.shop import CALM, Shop, opened

COMMAND = ["./podinfo", "--port=9898", "--port-metrics=9797", "--level=info"]
PORTS = [{"name": "http", "containerPort": 9898}, {"name": "http-metrics", "containerPort": 9797}]
SERVICE: Object = {
    "name": "made",
    "port": 80,
    "targetPort": "http",
    "portName": "web",
    "portDiscovery": True,
    "trafficDistribution": "PreferClose",
    "apex": {"labels": {"team": "shop"}, "annotations": {"example.com/serves": "primary"}},
    "canary": {"labels": {"team": "trials"}, "annotations": {"example.com/serves": "canary"}},
}


@dataclass
class Measured(Shop):
    """It shows its metrics on a port of their own, and is reached by the Service that is made for it."""

    def deployment(self, tag: str = "6.0.0", **container: Any) -> Object:
        return super().deployment(tag, **{"command": COMMAND, "ports": PORTS, **container})

    def ingress(self) -> Object:
        found = super().ingress()
        [path] = found["spec"]["rules"][0]["http"]["paths"]
        path["backend"] = {"service": {"name": SERVICE["name"], "port": {"name": SERVICE["portName"]}}}
        return found


@pytest.fixture
def measured() -> Iterator[Shop]:
    with opened(Measured(unique("measured"), replicas=1, analysis=CALM, spec={"service": SERVICE})) as shop:
        yield shop


def told(shop: Shop, service: str) -> tuple[Any, ...]:
    """What was asked for of a Service."""
    found = shop.get("service", service)
    ports = [(port["name"], port["port"], port["targetPort"]) for port in found["spec"]["ports"]]
    metadata, distribution = found["metadata"], found["spec"].get("trafficDistribution")
    return metadata["labels"]["team"], metadata["annotations"]["example.com/serves"], distribution, ports


def answers(shop: Shop, service: str) -> bool:
    """Whether its metrics can be had by the Service's own port for them."""
    path = f"/api/v1/namespaces/{shop.namespace}/services/{service}:http-metrics/proxy/metrics"
    said = shop("get", "--raw", path, check=False)
    return "go_goroutines" in said.out


def test_a_made_service_and_its_canarys_have_the_ports_the_metadata_and_the_distribution_that_are_asked_for(
    measured: Shop,
) -> None:
    ports = [("web", 80, "http"), ("http-metrics", 9797, 9797)]
    measured("wait", "service/made", "--for=create", "--timeout=20s")
    assert told(measured, "made") == ("shop", "primary", "PreferClose", ports)
    measured.set_image("6.0.1")
    measured.until_weight(25)
    assert told(measured, "made-canary") == ("trials", "canary", "PreferClose", ports)
    for service in ("made", "made-canary"):
        eventually(lambda service=service: answers(measured, service), f"{service} leads to the metrics", 20)  # type: ignore[misc]
