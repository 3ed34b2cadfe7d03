"""How Kubernetes merges the parts of a pod template: which lists are maps in disguise, and which maps are not.

Source: `patchMergeKey`, `x-kubernetes-list-map-keys` and `x-kubernetes-map-type` in the OpenAPI of
`io.k8s.api.core.v1.PodTemplateSpec`, Kubernetes 1.36. Field names are unique enough within a pod template.
"""

from typing import Any, TypeAlias

from webhook.defaults import default
from webhook.revision import Object

Key: TypeAlias = str | tuple[Any, ...]
"""What leads to a part: the field of a map, or the values of an element's merge keys."""

MERGE_KEYS: dict[str, tuple[str, ...]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "ephemeralContainers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "ports": ("containerPort", "protocol"),
    "imagePullSecrets": ("name",),
    "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "resourceClaims": ("name",),
    "claims": ("name",),
    "schedulingGates": ("name",),
}

CONTAINERS = frozenset({"containers", "initContainers", "ephemeralContainers"})

ATOMIC_MAPS = frozenset(
    {
        "nodeSelector",
        "labelSelector",
        "namespaceSelector",
        "configMapKeyRef",
        "secretKeyRef",
        "fieldRef",
        "resourceFieldRef",
        "requiredDuringSchedulingIgnoredDuringExecution",
        "secretRef",
        "configMapRef",
    }
)
"""Maps that server-side apply owns as one value."""

_HANDLERS = frozenset({"exec", "httpGet", "tcpSocket", "grpc", "sleep"})
_ENV_VALUES = frozenset({"value", "valueFrom"})


def key_of(field: str, element: Object) -> tuple[Any, ...] | None:
    """The values of the merge keys of one element of the list `field`, None where it lacks one."""
    values = tuple(element[name] if name in element else default(field, element, name) for name in MERGE_KEYS[field])
    return values if all(isinstance(value, str | int) for value in values) else None


def keyed(field: str, items: Any) -> dict[Key, Object] | None:
    """The list `field` as a map by merge key, in its order.

    None where it has to be taken as one value: it has no merge key, an element lacks it, or two share it.
    """
    if field not in MERGE_KEYS or not isinstance(items, list):
        return None
    found: dict[Key, Object] = {}
    for element in items:
        key = key_of(field, element) if isinstance(element, dict) else None
        if key is None or key in found:
            return None
        found[key] = element
    return found


def rivals(parent: str, fields: Object) -> list[frozenset[str]]:
    """Groups of fields of which an object may have one at most: an env's value, a volume's source, a probe's handler.

    `parent` is the field that the object stands in.
    """
    if parent == "volumes":
        return [frozenset(fields) - {"name"}]
    return [_ENV_VALUES if parent == "env" else _HANDLERS]
