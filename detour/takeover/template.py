"""Which pod template serves: that of Flagger's copy, as its user has written it.

The way back of what Flagger 1.44 does to a template (`getPrimaryDeploymentTemplateSpec`, `makePrimaryLabels`,
`makeAnnotations` and `ApplyPrimaryConfigs` there).
"""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from analyzer.kube.resources import CONFIG_MAPS, SECRETS
from detour.takeover.found import PRIMARY, Found
from webhook.revision import digest

Object = dict[str, Any]

FLAGGER_ID = "flagger-id"  # pod annotation, another one with every promotion
FLUX = "toolkit.fluxcd.io"  # labels and annotations with it are not copied


def live(found: Found) -> Object:
    """The template that the primary runs, with the labels, ConfigMaps and Secrets of the target."""
    assert found.target
    assert found.primary
    template: Object = copy.deepcopy(found.primary["spec"]["template"])
    metadata, pod = template["metadata"], template["spec"]
    stated = found.target["spec"]["selector"]["matchLabels"]
    [label] = found.primary["spec"]["selector"]["matchLabels"]
    metadata["labels"][label] = stated[label]
    _drop(metadata, "annotations", FLAGGER_ID)
    for kind, reference in _references(pod):
        _rename(reference, _names(found, kind))
    for terms in _label_selectors(pod):
        _relabel(terms, found.name)
    return template


def is_live(found: Found) -> bool:
    """Whether the target's own template is the one that serves, but for what Flagger does not copy."""
    assert found.target
    return digest(_bare(found.target["spec"]["template"])) == digest(_bare(live(found)))


def _bare(template: Object) -> Object:
    bare = copy.deepcopy(template)
    for kind in ("labels", "annotations"):
        ours = [key for key in bare["metadata"].get(kind) or () if FLUX in key or key == FLAGGER_ID]
        _drop(bare["metadata"], kind, *ours)
    return bare


def _drop(parent: Object, kind: str, *keys: str) -> None:
    kept = {key: value for key, value in (parent.pop(kind, None) or {}).items() if key not in keys}
    if kept:
        parent[kind] = kept


def _names(found: Found, kind: str) -> dict[str, str]:
    """What the copies of this kind are copies of: a name that the user has chosen may end like theirs."""
    copied = (each.copy["metadata"]["name"] for each in found.copies if each.resource.kind == kind)
    return {name: name.removesuffix(PRIMARY) for name in copied}


def _rename(reference: Object, names: Mapping[str, str]) -> None:
    key = "secretName" if "secretName" in reference else "name"
    reference[key] = names.get(reference[key], reference[key])


def _references(pod: Object) -> Iterator[tuple[str, Object]]:
    """Every reference to a ConfigMap or a Secret that Flagger follows, with the kind of what it names."""
    for volume in pod.get("volumes") or ():
        for source in (volume, *((volume.get("projected") or {}).get("sources") or ())):
            yield from _of(source, "configMap", "secret")
    for container in (*(pod.get("containers") or ()), *(pod.get("initContainers") or ())):
        for variable in container.get("env") or ():
            yield from _of(variable.get("valueFrom") or {}, "configMapKeyRef", "secretKeyRef")
        for source in container.get("envFrom") or ():
            yield from _of(source, "configMapRef", "secretRef")


def _of(source: Object, config_map: str, secret: str) -> Iterator[tuple[str, Object]]:
    for key, resource in ((config_map, CONFIG_MAPS), (secret, SECRETS)):
        if reference := source.get(key):
            yield resource.kind, reference


def _label_selectors(pod: Object) -> Iterator[Object]:
    """Those by which pods keep away from their like."""
    for spread in pod.get("topologySpreadConstraints") or ():
        yield spread.get("labelSelector") or {}
    away = (pod.get("affinity") or {}).get("podAntiAffinity") or {}
    for term in away.get("preferredDuringSchedulingIgnoredDuringExecution") or ():
        yield term["podAffinityTerm"].get("labelSelector") or {}
    for term in away.get("requiredDuringSchedulingIgnoredDuringExecution") or ():
        yield term.get("labelSelector") or {}


def _relabel(selector: Object, name: str) -> None:
    """Flagger changes values that equal the target's name, whatever the key is among those that it selects by."""
    labels = selector.get("matchLabels") or {}
    for key, value in labels.items():
        labels[key] = name if value == f"{name}{PRIMARY}" else value
    for expression in selector.get("matchExpressions") or ():
        values = expression.get("values")
        if values:
            expression["values"] = [name if value == f"{name}{PRIMARY}" else value for value in values]
