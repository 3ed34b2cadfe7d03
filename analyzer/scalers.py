"""Autoscalers as objects: which of them scales a Deployment, and the copy of the primary's that a canary gets. Pure.

`autoscalerRef` names the primary's own autoscaler, as with Flagger: a HorizontalPodAutoscaler, or a ScaledObject of
KEDA (https://keda.sh/docs/latest/reference/scaledobject-spec/). That one stays as it is. The copy scales the canary,
never below the size that its share of the traffic asks for. It belongs to the canary's Deployment and goes with it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from analyzer.fields import SpecError
from analyzer.ownership import LONGEST, canary_name, mark

Object = Mapping[str, Any]

HPA, SCALED_OBJECT, DEPLOYMENT = "HorizontalPodAutoscaler", "ScaledObject", "Deployment"
VERSIONS = {HPA: "autoscaling/v2", SCALED_OBJECT: "keda.sh/v1alpha1"}
KEDAS_MOST = 100  # replicas: ScaledObject, the default of maxReplicaCount


@dataclass(frozen=True, slots=True)
class Reference:
    """The autoscaler that the canary gets a copy of. `notes` are what its user should know of how it is read."""

    kind: str
    name: str
    notes: tuple[str, ...] = ()


def parse(stated: Mapping[str, Any] | None) -> Reference | None:
    """The field `spec.autoscalerRef`. Raises SpecError."""
    if not stated:
        return None
    field, kind, name = "spec.autoscalerRef", str(stated.get("kind") or ""), str(stated.get("name") or "")
    if kind not in VERSIONS:
        raise SpecError(f"{field}.kind", f"{kind!r} is no autoscaler that is known", f"set {' or '.join(VERSIONS)}")
    if not name:
        raise SpecError(f"{field}.name", "it is empty", "name the autoscaler of the target")
    version, known = str(stated.get("apiVersion") or ""), VERSIONS[kind]
    if version.partition("/")[0] != known.partition("/")[0]:
        raise SpecError(f"{field}.apiVersion", f"{version!r} has no {kind}", f"set {known}")
    notes = []
    if version != known:
        notes.append(f"{field}.apiVersion: {version} is read as {known}; write that")
    for key in ("primaryScalerQueries", "primaryScalerReplicas"):
        if stated.get(key):
            notes.append(f"{field}.{key} has no effect: {kind} {name} goes on scaling the primary as it says itself")
    return Reference(kind, name, tuple(notes))


def is_scaled(deployment: Object, autoscalers: Iterable[Object]) -> bool:
    """Whether one of these HorizontalPodAutoscalers scales the Deployment; KEDA scales by one of its own making."""
    return any(_target(scaler) == deployment["metadata"]["name"] for scaler in autoscalers)


def unfit(reference: Reference, found: Object | None, primary: Object) -> str:
    """Why the autoscaler that is named cannot be copied for the canary; "" if it can."""
    kind, name, target = reference.kind, reference.name, primary["metadata"]["name"]
    if found is None:
        return f"{kind} {name} does not exist: create it, or correct spec.autoscalerRef.name"
    if _target(found) != target:
        remedy = "correct spec.autoscalerRef.name, or its scaleTargetRef"
        return f"{kind} {name} does not scale Deployment {target}: {remedy}"
    return ""


def copy_name(found: Object) -> str:
    """The name of the canary's autoscaler."""
    return canary_name(found["metadata"]["name"], LONGEST)


def copy_for(canary: Object, primary: Object, found: Object, least: int) -> dict[str, Any]:
    """The autoscaler of the canary's Deployment, after the primary's: with at least so many replicas."""
    kind, spec = found["kind"], dict(found["spec"])
    owner = {key: canary["metadata"][key] for key in ("name", "uid")}
    changed = _scaled_object(spec, primary, owner["name"], least) if kind == SCALED_OBJECT else _hpa(spec, least)
    return {
        "apiVersion": VERSIONS[kind],
        "kind": kind,
        "metadata": {
            "name": copy_name(found),
            "namespace": primary["metadata"]["namespace"],
            "labels": mark(primary),
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": DEPLOYMENT, **owner, "controller": False}],
        },
        "spec": {**changed, "scaleTargetRef": {**spec["scaleTargetRef"], "name": owner["name"]}},
    }


def least_of(copied: Object) -> int | None:
    """The minimum of a canary's autoscaler."""
    least = copied["spec"].get("minReplicaCount" if copied["kind"] == SCALED_OBJECT else "minReplicas")
    return None if least is None else int(least)


def _hpa(spec: dict[str, Any], least: int) -> dict[str, Any]:
    return spec | {"minReplicas": least, "maxReplicas": max(least, int(spec.get("maxReplicas") or least))}


def _scaled_object(spec: dict[str, Any], primary: Object, canary: str, least: int) -> dict[str, Any]:
    """Without what there can be one of only (the name of the HPA that KEDA makes), nor what has to be below the minimum
    and would take a canary to nothing (`idleReplicaCount`).
    """
    most = max(least, int(spec.get("maxReplicaCount") or KEDAS_MOST))
    triggers = [_trigger(each, primary["metadata"]["name"], canary) for each in spec.get("triggers") or ()]
    kept = {key: value for key, value in spec.items() if key != "idleReplicaCount"}
    if advanced := spec.get("advanced"):
        kept["advanced"] = dict(advanced)
        if config := advanced.get("horizontalPodAutoscalerConfig"):
            kept["advanced"]["horizontalPodAutoscalerConfig"] = {k: v for k, v in config.items() if k != "name"}
    return kept | {"minReplicaCount": least, "maxReplicaCount": most, "triggers": triggers}


def _trigger(trigger: Object, primary: str, canary: str) -> Object:
    """Its query means the canary where it names the primary: as a whole word, or before the rest of a pattern for pods
    (`web`, `web-.*`; not `web-shop`, nor the namespace).
    """
    said = dict(trigger.get("metadata") or {})
    if "query" in said:
        name = rf'(?<!namespace=")(?<![\w-]){re.escape(primary)}(?=-[\[.(\\]|(?![\w-]))'
        said["query"] = re.sub(name, canary, str(said["query"]))
    return {**trigger, "metadata": said}


def _target(scaler: Object) -> str:
    """The Deployment that it scales. A ScaledObject need not say the kind."""
    target = scaler["spec"].get("scaleTargetRef") or {}
    return str(target.get("name")) if target.get("kind", DEPLOYMENT) == DEPLOYMENT else ""
