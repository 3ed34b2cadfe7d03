"""All that the two containers expose, and what docs/telemetry.md says they do."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from prometheus_client import CollectorRegistry

from analyzer.agenda import Key
from analyzer.census import Census
from analyzer.cluster import Cluster
from analyzer.kube.client import Client
from analyzer.telemetry import REGISTRY
from webhook.telemetry import Telemetry

DOCUMENT = Path(__file__).parents[2] / "docs/telemetry.md"
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \|([\w, ]*)\|", re.MULTILINE)
SAMPLES = {"counter": (), "gauge": (), "histogram": ("_bucket", "_sum", "_count")}


class Metric(NamedTuple):
    """As Prometheus knows it."""

    name: str
    type: str
    labels: tuple[str, ...]


def cluster(*canaries: dict[str, Any]) -> Cluster:
    """What the watches hold."""
    found = Cluster.follow(Client(None), lambda _key: None, "detour")
    for canary in canaries:
        found.canaries.learn(canary)
    return found


def canary(key: Key = ("shop", "podinfo"), version: int = 1, **status: Any) -> dict[str, Any]:
    """One with this status."""
    namespace, name = key
    metadata = {"namespace": namespace, "name": name, "resourceVersion": str(version), "creationTimestamp": "2026"}
    return {
        "metadata": metadata,
        "spec": {"targetRef": {"kind": "Deployment", "name": name}},
        "status": {"revision": "r", **status},
    }


def exposed() -> set[Metric]:
    """Of the webhook and of the analyzer."""
    return {*_of(Telemetry().registry), *_of(REGISTRY), *_of(_with(Census(cluster(), lambda: True)))}


def documented() -> set[Metric]:
    return {
        Metric(name, kind, tuple(filter(None, labels.strip().split(", "))))
        for name, kind, labels in ROW.findall(_text())
    }


def names() -> set[str]:
    """What a query may name."""
    found = exposed()
    parts = {f"{metric.name}{suffix}" for metric in found for suffix in SAMPLES[metric.type]}
    return parts | {metric.name for metric in found if not SAMPLES[metric.type]}


def _text() -> str:
    return DOCUMENT.read_text()


def _with(census: Census) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(census)
    return registry


def _of(registry: CollectorRegistry) -> Iterator[Metric]:
    """The library tells the labels of a family only to those who know where they are."""
    for collector in list(registry._collector_to_names):
        for family in collector.collect():
            labels = getattr(collector, "_labelnames", None) or getattr(family, "_labelnames", None) or ()
            suffix = "_total" if family.type == "counter" else ""
            yield Metric(f"{family.name}{suffix}", family.type, tuple(labels))
