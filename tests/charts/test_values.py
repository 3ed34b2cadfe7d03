"""Every value does what its description says, and a wrong one is refused in words."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from detour import analyzer, loadtester, webhook
from tests.charts.generated import schema
from tests.charts.options import Option, options
from tests.charts.rendering import HELM, Key, Object, attempt, objects, template

pytestmark = pytest.mark.cluster  # its programs are the sandbox's

DEPLOYMENT = ("Deployment", "detour")
WEBHOOKS = ("MutatingWebhookConfiguration", "zz-detour")
DIGEST = f"sha256:{'1' * 64}"
NAMED = {"key": "kubernetes.io/metadata.name"}
TOLERATION = {"key": "dedicated", "operator": "Exists"}
SPREAD = {"maxSkew": 1, "topologyKey": "rack", "whenUnsatisfiable": "DoNotSchedule"}
POLICY = {"analysis": {"interval": "1m", "threshold": 2, "stepWeight": 20}}

Rendered = dict[Key, Object]


def pod(found: Rendered) -> Object:
    return dict(found[DEPLOYMENT]["spec"]["template"]["spec"])


def container(found: Rendered, name: str) -> Object:
    (one,) = [each for each in pod(found)["containers"] if each["name"] == name]
    return dict(one)


def both(field: str) -> Callable[[Rendered], list[Any]]:
    return lambda found: [each[field] for each in pod(found)["containers"]]


def flag(name: str, *containers: str) -> Callable[[Rendered], list[str]]:
    """Every occurrence, in these containers."""
    return lambda found: [
        each for one in containers for each in container(found, one)["args"] if each.startswith(f"{name}=")
    ]


def in_pod(field: str) -> Callable[[Rendered], Any]:
    return lambda found: pod(found).get(field)


def of_pod(field: str) -> Callable[[Rendered], Any]:
    return lambda found: found[DEPLOYMENT]["spec"]["template"]["metadata"].get(field)


def of_webhooks(field: str) -> Callable[[Rendered], list[Any]]:
    return lambda found: [each[field] for each in found[WEBHOOKS]["webhooks"]]


def selected(operator: str) -> Callable[[Rendered], list[Any]]:
    """The last condition on namespaces of every webhook, if it is of this kind."""
    last = [NAMED | {"operator": operator}]
    return lambda found: [
        each["namespaceSelector"]["matchExpressions"][-1]["values"]
        for each in found[WEBHOOKS]["webhooks"]
        if last[0].items() <= each["namespaceSelector"]["matchExpressions"][-1].items()
    ]


def how_many(kind: str, name: str = "") -> Callable[[Rendered], int]:
    return lambda found: sum(key[0] == kind and key[1].startswith(name) for key in found)
