"""Pod templates as trees: the lists that Kubernetes merges by key are maps by that key, in their order.

Written apart from the webhook's own table of merge keys, so that a fault in the one shows against the other.
"""

import copy
import json
from typing import Any

KEYS = {
    "containers": ("name",),
    "initContainers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "volumeMounts": ("mountPath",),
    "ports": ("containerPort", "protocol"),
}
ATOMIC = {"command", "args", "tolerations", "nodeSelector"}

Path = tuple[Any, ...]


class Keyed(dict[Any, Any]):
    """A list whose elements are merged by key."""


def tree(value: Any, name: str = "") -> Any:
    """A template as a tree."""
    if isinstance(value, dict):
        return {key: tree(part, key) for key, part in value.items()}
    if isinstance(value, list) and name in KEYS:
        elements = [{"protocol": "TCP"} | item if name == "ports" else item for item in value]
        return Keyed({tuple(item[key] for key in KEYS[name]): tree(item) for item in elements})
    return copy.deepcopy(value)


def plain(value: Any) -> Any:
    """A tree as the template that goes over the wire."""
    if isinstance(value, Keyed):
        return [plain(part) for part in value.values()]
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    return copy.deepcopy(value)


def ordered(value: Any) -> Any:
    """A template with the lists that are maps in one order."""

    def sort(part: Any) -> Any:
        if isinstance(part, Keyed):
            return Keyed(sorted((key, sort(element)) for key, element in part.items()))
        return {key: sort(child) for key, child in part.items()} if isinstance(part, dict) else part

    return plain(sort(tree(value)))


def normalised(value: Any) -> Any:
    """A tree without what Go's `omitempty` leaves out: empty lists, and empty maps of the user's own keys."""
    if not isinstance(value, dict):
        return value
    kept = {key: normalised(part) for key, part in value.items() if part is not None}
    empty = {key for key, part in kept.items() if part == {} and (isinstance(part, Keyed) or key in OMITTED)}
    return type(value)({key: part for key, part in kept.items() if key not in empty})


OMITTED = {"labels", "annotations", "nodeSelector", "limits", "requests"}


def defaulted(template: Any) -> Any:
    """What the API server adds to a template (pkg/apis/core/v1/defaults.go), of the fields that the tests use."""
    spec = template["spec"]
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("securityContext", {})
    for container in [*spec.get("containers", {}).values(), *spec.get("initContainers", {}).values()]:
        container.setdefault("imagePullPolicy", "IfNotPresent")
        container.setdefault("terminationMessagePath", "/dev/termination-log")
        container.setdefault("resources", {})
        if "readinessProbe" in container:
            container["readinessProbe"].setdefault("periodSeconds", 10)
    for volume in spec.get("volumes", {}).values():
        if set(volume) == {"name"}:
            volume["emptyDir"] = {}
    return normalised(template)


def leaves(value: Any, at: Path = ()) -> dict[Path, Any]:
    """The leaves of a tree by path, with every element of a keyed list as a member of its own."""
    found: dict[Path, Any] = {}
    if not isinstance(value, dict) or not value or (at and at[-1] in ATOMIC):
        return {at: plain(value)}
    for key, part in value.items():
        if isinstance(value, Keyed):
            found[(*at, key)] = ...
        found |= leaves(part, (*at, key))
    return found


def closure(paths: set[Path]) -> set[Path]:
    """The paths with all that lead to them (`EnsureNamedFieldsAreMembers` in structured-merge-diff)."""
    return {path[:length] for path in paths for length in range(1, len(path) + 1)}


def removed(value: Any, gone: set[Path], at: Path = ()) -> Any:
    """A tree without what is beneath the paths that are gone; a map that this empties goes, too."""
    if not isinstance(value, dict):
        return value
    kept = type(value)({k: removed(part, gone, (*at, k)) for k, part in value.items() if (*at, k) not in gone})
    return type(value)({k: part for k, part in kept.items() if part is not None and (part != {} or value[k] == {})})


def whole(value: Any, name: str = "") -> bool:
    """Whether every element has its merge key."""
    if isinstance(value, Keyed):
        return all(set(KEYS[name]) <= set(element) and whole(element) for element in value.values())
    return not isinstance(value, dict) or all(whole(part, key) for key, part in value.items())


def fields_v1(paths: set[Path]) -> dict[str, Any]:
    """A set of paths as it stands in managedFields."""
    fields: dict[str, Any] = {}
    for path in sorted(paths, key=repr):
        here, name = fields, ""
        for step in path:
            if isinstance(step, tuple):
                step_name = "k:" + json.dumps(dict(zip(KEYS[name], step, strict=True)), separators=(",", ":"))
            else:
                name, step_name = step, f"f:{step}"
            here = here.setdefault(step_name, {})
        if isinstance(path[-1], tuple):
            here["."] = {}
    return {"f:spec": {"f:template": fields}}
