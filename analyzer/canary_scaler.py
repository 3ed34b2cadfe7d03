"""The canary's own autoscaler in the cluster: read and made here alone, and deleted with the canary that owns it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from analyzer import scalers
from analyzer.kube.client import Client
from analyzer.kube.errors import NotFound
from analyzer.kube.resources import AUTOSCALERS, SCALED_OBJECTS
from analyzer.ownership import is_ours
from analyzer.seen import Seen

Object = Mapping[str, Any]

_RESOURCES = {resource.kind: resource for resource in (AUTOSCALERS, SCALED_OBJECTS)}


def original(client: Client, namespace: str, reference: scalers.Reference | None) -> dict[str, Any] | None:
    """The primary's autoscaler that a Canary names; None if there is none, or no such kind in this cluster."""
    return _found(client, reference.kind, namespace, reference.name) if reference else None


def looked_at(client: Client, seen: Seen, reference: scalers.Reference, found: Object | None, primary: Object) -> Seen:
    """What there is of the copy of `found`, or why none can be made. Somebody else's of its name is never touched."""
    problem = scalers.unfit(reference, found, primary)
    if found is None or problem:
        return replace(seen, obstacle=seen.obstacle or problem)
    copied = _found(client, found["kind"], seen.namespace, scalers.copy_name(found))
    if copied and not is_ours(copied, primary):
        problem = f"{reference.kind} {scalers.copy_name(found)} is not Detour's, which needs that name for the canary"
        return replace(seen, obstacle=seen.obstacle or f"{problem}: rename it or delete it")
    least = scalers.least_of(copied) if copied else None
    return replace(seen, canary=replace(seen.canary, least=least)) if seen.canary else seen


def bring(client: Client, canary: Object, primary: Object, found: Object, replicas: int) -> None:
    """Make the copy for this canary, or bring it to this minimum."""
    client.apply(_RESOURCES[found["kind"]], scalers.copy_for(canary, primary, found, replicas))


def _found(client: Client, kind: str, namespace: str, name: str) -> dict[str, Any] | None:
    try:
        return {"kind": kind} | client.get(_RESOURCES[kind], namespace, name)
    except NotFound:
        return None
