"""The Services that users call: whose pods they select, before and after. Pure."""

import json
from collections.abc import Iterator
from typing import Any

from analyzer.kube.resources import SERVICES
from detour.takeover.found import Found, Object, selects
from detour.takeover.steps import Step, patch, pointer

APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
# What Flagger puts on every Service that it looks after, its user's too (pkg/router/util.go there).
FLUX_AWAY = ("kustomize.toolkit.fluxcd.io/reconcile", "helm.toolkit.fluxcd.io/driftDetection")
DISABLED = "disabled"


def is_away(found: Found, service: Object) -> bool:
    """Whether it sends requests to the copy's pods, and none to the target's."""
    return selects(service, found.primary) and not selects(service, found.target)


def led_back(found: Found, service: Object) -> Step | None:
    """Let a Service select the target's pods, not the copy's; None if it does, and bears nothing of Flagger's."""
    away = is_away(found, service)
    notes = service["metadata"].get("annotations") or {}
    applied = _applied(service)
    theirs = [key for key in FLUX_AWAY if notes.get(key) == DISABLED and key not in _notes(applied)]
    if not (away or (theirs and selects(service, found.target))):
        return None
    operations: list[Object] = [{"op": "remove", "path": pointer("metadata", "annotations", key)} for key in theirs]
    says = f"let Service {service['metadata']['name']} be reconciled again"
    if away:
        selector = _selector(found, applied)
        operations.append({"op": "replace", "path": "/spec/selector", "value": selector})
        shown = ", ".join(f"{key}={value}" for key, value in selector.items())
        says = f"Service {service['metadata']['name']} selects {shown} again"
    return patch(SERVICES, service, says, *operations)


def is_served_by_target(found: Found, service: Object) -> bool:
    """Whether every endpoint is the target's, and one is ready if there are to be any."""
    assert found.target
    behind = [
        endpoint
        for each in found.slices
        if (each["metadata"].get("labels") or {}).get("kubernetes.io/service-name") == service["metadata"]["name"]
        for endpoint in each.get("endpoints") or ()
    ]
    if any((endpoint.get("targetRef") or {}).get("name") in found.pods for endpoint in behind):
        return False
    ready = any((endpoint.get("conditions") or {}).get("ready") for endpoint in behind)
    return ready or found.target["spec"].get("replicas") == 0


def ports_that_differ(found: Found) -> Iterator[str]:
    """Services whose manifest states ports that they no longer have: Flagger keeps the one of the Canary."""
    for service in found.users_services:
        stated = {port.get("port") for port in (_applied(service).get("spec") or {}).get("ports") or ()}
        if stated - {port["port"] for port in service["spec"].get("ports") or ()}:
            yield service["metadata"]["name"]


def _selector(found: Found, applied: Object) -> dict[str, str]:
    """As its manifest says, if that leads to the target and not to the copy; else the target's own selector."""
    assert found.target
    stated: dict[str, str] = (applied.get("spec") or {}).get("selector") or {}
    own: dict[str, str] = found.target["spec"]["selector"]["matchLabels"]
    meant = {"spec": {"selector": stated}}
    return stated if selects(meant, found.target) and not selects(meant, found.primary) else own


def _applied(service: Object) -> Object:
    text = (service["metadata"].get("annotations") or {}).get(APPLIED)
    try:
        found: Any = json.loads(text) if text else {}
    except ValueError:
        found = {}
    return found if isinstance(found, dict) else {}


def _notes(applied: Object) -> Object:
    return (applied.get("metadata") or {}).get("annotations") or {}
