"""The canary's own autoscaler in the cluster: read and made here alone, and deleted with the canary that owns it."""

from collections.abc import Mapping
from typing import Any

from analyzer import scalers
from analyzer.kube.client import Client
from analyzer.kube.errors import NotFound
from analyzer.kube.resources import AUTOSCALERS, SCALED_OBJECTS

Object = Mapping[str, Any]

_RESOURCES = {resource.kind: resource for resource in (AUTOSCALERS, SCALED_OBJECTS)}


def original(client: Client, namespace: str, reference: scalers.Reference | None) -> dict[str, Any] | None:
    """The primary's autoscaler that a Canary names; None if there is none, or no such kind in this cluster."""
    return _found(client, reference.kind, namespace, reference.name) if reference else None


def least(client: Client, namespace: str, found: Object) -> int | None:
    """The minimum of the copy that there is of an autoscaler; None without one."""
    copied = _found(client, found["kind"], namespace, scalers.copy_name(found))
    return scalers.least_of(copied) if copied else None


def bring(client: Client, canary: Object, primary: Object, found: Object, replicas: int) -> None:
    """Make the copy for this canary, or bring it to this minimum."""
    client.apply(_RESOURCES[found["kind"]], scalers.copy_for(canary, primary, found, replicas))


def _found(client: Client, kind: str, namespace: str, name: str) -> dict[str, Any] | None:
    try:
        return {"kind": kind} | client.get(_RESOURCES[kind], namespace, name)
    except NotFound:
        return None
