"""One look at a Canary and all that belongs to it: some ten requests."""

from collections.abc import Mapping
from typing import Any

from analyzer.kube.client import Client
from analyzer.kube.errors import NotFound
from analyzer.kube.resources import (
    CANARIES,
    CONFIG_MAPS,
    DEPLOYMENTS,
    ENDPOINT_SLICES,
    INGRESSES,
    PODS,
    SECRETS,
    SERVICES,
    Resource,
)
from analyzer.spec import target_of
from detour.takeover.found import PRIMARY, SCALERS, Copy, Found, Mark, is_owned

Object = dict[str, Any]


def look(client: Client, namespace: str, name: str, controllers: tuple[str, ...] = ()) -> Found:
    """Everything about one Canary, as it is now; `controllers` is where Flagger looks at it.

    Raises NotFound if there is no such Canary.
    """
    canaries = _all(client, CANARIES, namespace)
    canary = next((each for each in canaries if each["metadata"]["name"] == name), None)
    if canary is None:
        raise NotFound(404, "NotFound", f"there is no Canary {name} in namespace {namespace}")
    rivals = [each for each in canaries if each is not canary and target_of(each) == target_of(canary)]
    target = _one(client, DEPLOYMENTS, namespace, target_of(canary))
    scaler, primary_scaler = _scalers(client, canary)
    return Found(
        canary=canary,
        target=target,
        primary=_owned(canary, _one(client, DEPLOYMENTS, namespace, f"{target_of(canary)}{PRIMARY}")),
        services=_all(client, SERVICES, namespace),
        ingresses=_all(client, INGRESSES, namespace),
        slices=_all(client, ENDPOINT_SLICES, namespace),
        pods=_pods(client, target) if target else frozenset(),
        copies=tuple(each for resource in (CONFIG_MAPS, SECRETS) for each in _copies(client, resource, canary)),
        scaler=scaler,
        primary_scaler=primary_scaler,
        rivals=tuple(each["metadata"]["name"] for each in rivals),
        controllers=controllers,
    )


def _scalers(client: Client, canary: Object) -> tuple[Object | None, Object | None]:
    """The user's autoscaler of the target, and Flagger's of the copy."""
    mark = Mark.read(canary)
    reference: Mapping[str, Any] = (mark.scaler if mark else canary["spec"].get("autoscalerRef")) or {}
    resource = SCALERS.get(reference.get("kind", ""))
    if resource is None:
        return None, None
    namespace, name = canary["metadata"]["namespace"], reference["name"]
    theirs = _owned(canary, _one(client, resource, namespace, f"{name}{PRIMARY}"))
    return _one(client, resource, namespace, name), theirs


def _pods(client: Client, target: Object) -> frozenset[str]:
    """Those of the copy, by the label that Flagger gives another value; it may be gone before they are."""
    own = target["spec"]["selector"].get("matchLabels") or {}
    items = client.list_metadata(PODS, target["metadata"]["namespace"], "").get("items") or ()
    theirs = (each["metadata"] for each in items)
    return frozenset(
        pod["name"]
        for pod in theirs
        if any((pod.get("labels") or {}).get(key) == f"{value}{PRIMARY}" for key, value in own.items())
    )


def _copies(client: Client, resource: Resource, canary: Object) -> tuple[Copy, ...]:
    """What they say is read of those alone that are copies, and of what they are copies of."""
    namespace = canary["metadata"]["namespace"]
    listed = client.list_metadata(resource, namespace, "").get("items") or ()
    owned = (each["metadata"]["name"] for each in listed if is_owned(each, canary))
    names = [name for name in owned if name.endswith(PRIMARY)]
    found = ((_one(client, resource, namespace, name), name.removesuffix(PRIMARY)) for name in names)
    return tuple(Copy(resource, each, _one(client, resource, namespace, name)) for each, name in found if each)


def _all(client: Client, resource: Resource, namespace: str) -> tuple[Object, ...]:
    """Items of a list do not say what they are."""
    items = client.list(resource, namespace).get("items") or ()
    return tuple({"apiVersion": resource.api_version, "kind": resource.kind, **each} for each in items)


def _one(client: Client, resource: Resource, namespace: str, name: str) -> Object | None:
    try:
        return client.get(resource, namespace, name)
    except NotFound:
        return None


def _owned(canary: Object, thing: Object | None) -> Object | None:
    return thing if thing and is_owned(thing, canary) else None
