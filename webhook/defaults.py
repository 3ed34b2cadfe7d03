"""What the API server fills in where nobody said anything, so that a template means the same with and without it.

A template may have been stored by an older Kubernetes, which filled in less, or come from an annotation, which nobody
fills in. Source: SetDefaults_* in pkg/apis/core/v1/defaults.go, Kubernetes 1.36.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

FREE_MAPS: Final = frozenset(
    {
        "labels",
        "annotations",
        "nodeSelector",
        "limits",
        "requests",
        "matchLabels",
        "overhead",
        "volumeAttributes",
        "options",
        "userAnnotations",
    }
)
"""Maps whose keys are the user's, not fields: every key has a life of its own, and an empty one is not stored."""

_CONTAINER: Final = {
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
_PROBE: Final = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
_FILES: Final = {"defaultMode": 420}

DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "spec": {
        "dnsPolicy": "ClusterFirst",
        "restartPolicy": "Always",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "terminationGracePeriodSeconds": 30,
        "volumeMode": "Filesystem",  # of an ephemeral volume's claim
    },
    "containers": _CONTAINER,
    "initContainers": _CONTAINER,
    "ports": {"protocol": "TCP"},
    "livenessProbe": _PROBE,
    "readinessProbe": _PROBE,
    "startupProbe": _PROBE,
    "httpGet": {"path": "/", "scheme": "HTTP"},
    "grpc": {"service": ""},
    "fieldRef": {"apiVersion": "v1"},
    "resourceFieldRef": {"divisor": "0"},
    "volumeClaimTemplate": {"metadata": {}},
    "configMap": _FILES,
    "downwardAPI": _FILES,
    "projected": _FILES,
    "secret": _FILES,
    "serviceAccountToken": {"expirationSeconds": 3600},
    "hostPath": {"type": ""},
    "iscsi": {"iscsiInterface": "default"},
    "rbd": {"keyring": "/etc/ceph/keyring", "pool": "rbd", "user": "admin"},
    "azureDisk": {"cachingMode": "ReadWrite", "fsType": "ext4", "kind": "Shared", "readOnly": False},
    "scaleIO": {"fsType": "xfs", "storageMode": "ThinProvisioned"},
}
"""By the field that an object stands in, what its own fields are by default."""


def _pull_policy(image: Any) -> str:
    """Always, unless the image's tag is there and is not `latest`."""
    reference = str(image or "")
    tag = reference.rpartition("/")[2].partition("@")[0].partition(":")[2]
    return "IfNotPresent" if "@" in reference or tag not in ("", "latest") else "Always"


COMPUTED: Final[Mapping[str, Callable[[Mapping[str, Any]], Any]]] = {
    "imagePullPolicy": lambda container: _pull_policy(container.get("image")),
    "pullPolicy": lambda volume: _pull_policy(volume.get("reference")),  # of a volume that is an image
    "serviceAccount": lambda pod: pod.get("serviceAccountName"),  # its old name, which the API server keeps equal
}
"""Fields whose defaults follow from others of the same object."""


_NOTHING: Final[Mapping[str, Any]] = {}

DEEPEST: Final = 40
"""Levels, of which a template has half: what stands in an annotation may have been written by anybody."""


def default(parent: str, fields: Mapping[str, Any], name: str) -> Any:
    """What is filled in for the field `name` of an object that stands in the field `parent`; None: nothing."""
    if name in COMPUTED:
        return COMPUTED[name](fields)
    return DEFAULTS.get(parent, _NOTHING).get(name)


def stripped(value: Any, name: str = "", depth: int = DEEPEST) -> Any:
    """A part of a template, which stands in the field `name`, without what would be filled in."""
    if depth == 0 or name in FREE_MAPS:
        return value
    if isinstance(value, list):
        return [stripped(item, name, depth - 1) if isinstance(item, dict) else item for item in value]
    if not isinstance(value, dict):
        return value
    known = DEFAULTS.get(name, _NOTHING)
    return {
        key: stripped(part, key, depth - 1) if isinstance(part, dict | list) else part
        for key, part in value.items()
        if part is None or not ((key in known or key in COMPUTED) and part == default(name, value, key))
    }


def equivalent(one: Any, other: Any, name: str = "") -> bool:
    """Whether two parts, which stand in the field `name`, are the same but for what would be filled in.

    What `stripped` would tell, too; but most parts of two templates are equal, and that is found out in no time.
    """
    if one == other:
        return True
    if isinstance(one, list) and isinstance(other, list) and name not in FREE_MAPS:
        return len(one) == len(other) and all(map(partial(equivalent, name=name), one, other))
    if not isinstance(one, dict) or not isinstance(other, dict) or name in FREE_MAPS:
        return False
    return all(
        equivalent(one[key], other[key], key)
        if key in one and key in other
        else _says_nothing(name, one if key in one else other, key)
        for key in one.keys() | other.keys()
    )


def _says_nothing(parent: str, fields: Mapping[str, Any], name: str) -> bool:
    return fields[name] is not None and fields[name] == default(parent, fields, name)
