"""Two things that are better tried than reasoned about: the API server's way to the webhook, and Prometheus."""

import re
from typing import Any
from urllib.parse import urlsplit

from analyzer.kube.client import Client
from analyzer.kube.errors import ApiError, NotFound, Refused, Unreachable
from analyzer.kube.resources import DEPLOYMENTS
from detour.doctor.metrics import QUERY
from detour.doctor.snapshot import Prometheus, Trial
from webhook import stash

NAME = "detour-doctor"
_IN_CLUSTER = re.compile(r"(?P<name>[a-z0-9-]+)(\.(?P<namespace>[a-z0-9-]+)(\.svc(\.[a-z0-9.-]+)?)?)?")
PORTS = {"http": 80, "https": 443}


def divert(client: Client, namespace: str) -> Trial:
    """A dry run of a Deployment that bears a key of Detour's own: the webhook takes it out (design: rule 1).

    All that lies between the API server and the webhook's decision is tried by it, and nothing is stored.
    """
    labels = {stash.POLICY: "default", stash.STATE: "doctor"}
    container = {"name": "none", "image": "registry.k8s.io/pause"}
    body = {
        "apiVersion": DEPLOYMENTS.api_version,
        "kind": DEPLOYMENTS.kind,
        "metadata": {"namespace": namespace, "name": NAME, "labels": labels},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": NAME}},
            "template": {"metadata": {"labels": {"app": NAME}}, "spec": {"containers": [container]}},
        },
    }
    try:
        answer = client.rehearse(DEPLOYMENTS, body)
    except (ApiError, Unreachable) as error:
        return Trial(namespace, called=False, problem=" ".join(str(error).split()))
    return Trial(namespace, called=stash.STATE not in (answer["metadata"].get("labels") or {}))


def prometheus(client: Client, address: str, home: str) -> Prometheus:
    """Ask it by the API server's proxy for Services, which is open to more people than the pods' network is."""
    path = proxied(address, home)
    if path is None:
        return Prometheus(address, asked=False, problem="it is no Service of this cluster")
    try:
        answer = client.read(f"{path}/api/v1/query", query=QUERY)
        series = frozenset(str(each["metric"]["__name__"]) for each in answer["data"]["result"])
    except NotFound as error:
        return Prometheus(address, problem=error.message)
    except Refused as error:
        return Prometheus(address, asked=False, problem=error.message)
    except (ApiError, Unreachable) as error:
        return Prometheus(address, problem=str(error))
    except (KeyError, TypeError):
        return Prometheus(address, problem="it answers, but not as Prometheus does")
    return Prometheus(address, series=series)


def proxied(address: str, home: str) -> str | None:
    """The path of a Service's proxy for an address as pods write it; None for what is outside of the cluster."""
    parts: Any = urlsplit(address)
    found = _IN_CLUSTER.fullmatch(parts.hostname or "")
    if found is None or (parts.hostname or "").replace(".", "").isdigit():
        return None
    port = parts.port or PORTS.get(parts.scheme, 80)
    namespace, behind = found["namespace"] or home, parts.path.rstrip("/")
    return f"/api/v1/namespaces/{namespace}/services/{parts.scheme}:{found['name']}:{port}/proxy{behind}"
