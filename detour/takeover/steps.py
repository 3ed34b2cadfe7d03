"""What a take-over consists of: requests to the API server, each of which may be repeated, and waits. Plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analyzer.kube.resources import Resource

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Merge:
    """A JSON merge patch (RFC 7396); a resourceVersion in it is a condition."""

    resource: Resource
    name: str
    body: Object


@dataclass(frozen=True, slots=True)
class Patch:
    """A JSON Patch (RFC 6902); its first operation tests the resourceVersion."""

    resource: Resource
    name: str
    operations: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Delete:
    """That very object, and no other of its name."""

    resource: Resource
    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class Store:
    """The status of `body`, whose resourceVersion is a condition."""

    resource: Resource
    body: Object


@dataclass(frozen=True, slots=True)
class Wait:
    """Until the step is no longer in the plan. `within` is in seconds; `meanwhile` says how far it is."""

    within: float
    meanwhile: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """`says` is what is done, for a person. `after` is how long to pause before it, in seconds."""

    says: str
    does: Merge | Patch | Delete | Store | Wait
    after: float = 0.0


def merge(resource: Resource, thing: Object, says: str, *, after: float = 0.0, **body: Any) -> Step:
    """Change a few fields of a thing."""
    return Step(says, Merge(resource, thing["metadata"]["name"], body), after)


def delete(resource: Resource, thing: Object, why: str = "", *, after: float = 0.0) -> Step:
    """Delete a thing."""
    metadata = thing["metadata"]
    says = f"delete {resource.kind} {metadata['name']}{f', {why}' if why else ''}"
    return Step(says, Delete(resource, metadata["name"], metadata["uid"]), after)


def patch(resource: Resource, thing: Object, says: str, *operations: Mapping[str, Any]) -> Step:
    """Change a thing that is still what it was when we looked."""
    metadata = thing["metadata"]
    unchanged = {"op": "test", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]}
    return Step(says, Patch(resource, metadata["name"], (unchanged, *operations)))


def pointer(*parts: str) -> str:
    """A JSON Pointer (RFC 6901)."""
    return "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in parts)
