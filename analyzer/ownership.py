"""What marks an object as Detour's: its name, its owner, and the label by which it is found and garbage-collected."""

import hashlib
from collections.abc import Mapping
from typing import Any

from webhook.stash import CANARY_OF

LONGEST = 63  # a label value, or a DNS label such as a Service's name (Kubernetes, "Object Names and IDs")
LONGEST_DEPLOYMENT = 46  # names of pods are cut at 63: with a longer one no query by `<name>-[^-]+-[^-]+` finds them
SUFFIX = "-canary"


def canary_name(name: str, longest: int = LONGEST_DEPLOYMENT) -> str:
    """`<name>-canary`, shortened by a hash of the whole name where `longest` characters are not enough."""
    return shortened(name, longest - len(SUFFIX)) + SUFFIX


def route_name(primary: Mapping[str, Any], route: Mapping[str, Any]) -> str:
    """The name of the canary's route beside the user's `route`: `<route>-canary`, as Flagger has it.

    A route of another name than the primary's may be shared by several, each of which needs one of its own: the
    primary's name is put in, after a dot, which no Service and hardly a Deployment has in its name.
    """
    name, own = route["metadata"]["name"], primary["metadata"]["name"]
    return canary_name(name if name == own else f"{name}.{own}", LONGEST)


def shortened(text: str, longest: int) -> str:
    """`text` itself if it fits; else its beginning and ten digits of its hash, so that two long texts stay apart."""
    if len(text) <= longest:
        return text
    return f"{text[: longest - 11].rstrip('-_.')}-{digits(text)}"


def digits(text: str) -> str:
    """Ten digits that tell texts apart in a name."""
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def mark(primary: Mapping[str, Any]) -> dict[str, str]:
    """The label `detour.dev/canary-of` of all that belongs to this primary's canary, its pods included."""
    return {CANARY_OF: shortened(primary["metadata"]["name"], LONGEST)}


def is_ours(thing: Mapping[str, Any], primary: Mapping[str, Any]) -> bool:
    """Whether `thing` belongs to this primary's canary. What does not is never touched, whatever its name."""
    labels = thing["metadata"].get("labels") or {}
    return mark(primary).items() <= labels.items()


def metadata(
    primary: Mapping[str, Any],
    name: str,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Metadata of an object of the canary. The primary owns it, without controlling it or blocking its deletion."""
    owner = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": primary["metadata"]["name"],
        "uid": primary["metadata"]["uid"],
        "controller": False,
        "blockOwnerDeletion": False,
    }
    result: dict[str, Any] = {
        "name": name,
        "namespace": primary["metadata"]["namespace"],
        "labels": {**(labels or {}), **mark(primary)},
        "ownerReferences": [owner],
    }
    if annotations:
        result["annotations"] = dict(annotations)
    return result
