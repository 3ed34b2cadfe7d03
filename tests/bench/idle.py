"""Deployments by the dozen that run no pod (`tests.cluster.podless`): what is measured is the write, nothing else."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tests.cluster.kubectl import eventually, get, kubectl
from tests.cluster.podless import paused
from tests.cluster.shop import Shop
from webhook import stash

Object = dict[str, Any]

COUNTER = "COUNTER"


def deploy(where: str, names: Sequence[str], labels: Mapping[str, str] | None = None) -> None:
    """Create such Deployments, and wait until all of them count as available."""
    items = [deployment(name, labels or {}) for name in names]
    manifest = {"apiVersion": "v1", "kind": "List", "items": items}
    kubectl("-n", where, "create", "-f", "-", stdin=json.dumps(manifest))
    eventually(lambda: set(names) <= _available(where), f"{len(names)} Deployments of {where} are available", 60)


def deployment(name: str, labels: Mapping[str, str]) -> Object:
    """podinfo as a user has it, but that it runs nowhere."""
    found = Shop(name, replicas=1).deployment(env=[{"name": COUNTER, "value": "0"}])
    found["metadata"] = {"name": name, "labels": {"app": "podinfo", **labels}}
    return paused(found)


def counter(template: Object) -> str:
    """The value that a change of the template puts there."""
    container = template["spec"]["containers"][0]
    return next(str(entry["value"]) for entry in container["env"] if entry["name"] == COUNTER)


def counting(number: int) -> Object:
    """The patch that changes the template, and nothing but one value in it."""
    container = {"name": "podinfo", "env": [{"name": COUNTER, "value": str(number)}]}
    return {"spec": {"template": {"spec": {"containers": [container]}}}}


def diverted(number: int, answer: Object) -> bool:
    """Whether a write came out as a diversion: the template as it was, and the new one beside it."""
    waiting, primary = stash.diverted(answer), answer["spec"]["template"]
    return counter(primary) == "0" and waiting is not None and counter(waiting.template) == str(number)


def _available(where: str) -> set[str]:
    found = get("-n", where, "deployments")["items"]
    return {
        one["metadata"]["name"]
        for one in found
        for condition in one.get("status", {}).get("conditions", ())
        if condition["type"] == "Available" and condition["status"] == "True"
    }
