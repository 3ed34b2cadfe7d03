"""What identifies a pod template: the digest of its canonical form.

The webhook and the analyzer must agree on "the same template" to the byte, so there is one definition, here.
"""

import hashlib
from typing import Any, TypeAlias

import orjson

from webhook.defaults import equivalent, stripped

Object: TypeAlias = dict[str, Any]
"""A Kubernetes object, or a part of one, as parsed from JSON."""

Template: TypeAlias = dict[str, Any]
"""A Deployment's `spec.template`."""

RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
"""Pod annotation that `kubectl rollout restart` stamps: it restarts pods and changes nothing that they run."""

_SHORT = 10


def digest(template: Template) -> str:
    """The whole sha256 of a template in hex: the authority wherever two templates are compared.

    The restart stamp is left out, with the empty maps that this leaves, and so is whatever an API server fills in by
    itself: which fields these are differs between the versions of Kubernetes that a stored template may come from.
    """
    return hashlib.sha256(_canonical(_filled(without_restart(template)))).hexdigest()


def same(one: Template, other: Template) -> bool:
    """Whether two templates are the same once an API server has filled them in, their restart stamps included."""
    return equivalent(_without_birth(one), _without_birth(other))


def short(whole: str) -> str:
    """The first ten digits of a digest, for labels and for people. Two templates that share them are easily made."""
    return whole[:_SHORT]


def canonical(value: Any) -> str:
    """Compact JSON with sorted keys: equal values give equal text."""
    return _canonical(value).decode()


def without_restart(template: Template) -> Template:
    """The template without its restart stamp; the very same object where there is none."""
    metadata = template.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    if not isinstance(metadata, dict) or not isinstance(annotations, dict) or RESTARTED_AT not in annotations:
        return template
    rest = {key: value for key, value in annotations.items() if key != RESTARTED_AT}
    return _replaced(template, "metadata", _replaced(metadata, "annotations", rest))


def restarted_at(template: Template) -> str:
    """The stamp of the last restart; empty where there was none."""
    metadata = template.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    return str(annotations.get(RESTARTED_AT, "")) if isinstance(annotations, dict) else ""


def _canonical(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _filled(template: Template) -> Template:
    """The template without what is filled in."""
    return _without_birth(stripped(template))


def _without_birth(template: Template) -> Template:
    """The template without the empty `creationTimestamp` that API servers before 1.34 write into it."""
    metadata = template.get("metadata")
    if isinstance(metadata, dict) and metadata.get("creationTimestamp", "") is None:
        template = _replaced(template, "metadata", {k: v for k, v in metadata.items() if k != "creationTimestamp"})
    return template


def _replaced(parent: Object, key: str, child: Object) -> Object:
    """A copy of `parent` with another child, or without it where the child is empty."""
    copy = {name: value for name, value in parent.items() if name != key}
    return {**copy, key: child} if child else copy
