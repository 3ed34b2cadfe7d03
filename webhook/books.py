"""The books of server-side apply: which manager owns what of a pod template, as managedFields tell it."""

from collections.abc import Iterable
from typing import TypeAlias

import orjson

from webhook.mergekeys import MERGE_KEYS, Key
from webhook.objects import elements, mapping
from webhook.revision import Object

Statement: TypeAlias = dict[Key, "Statement"]
"""What one configuration states, as a tree of its fields and merge keys; a leaf has no branches."""


Owner: TypeAlias = tuple[str, str]
"""A manager and its operation, Apply or Update."""


def entries(deployment: Object) -> dict[Owner, Object]:
    """The entries of managedFields by manager and operation, but for those of subresources."""
    return {
        (str(entry.get("manager")), str(entry.get("operation"))): entry
        for entry in elements(deployment.get("metadata"), "managedFields")
        if not entry.get("subresource")
    }


def owned(entry: Object) -> Statement:
    """What of the template an entry owns, as a statement."""
    return _paths(mapping(entry, "fieldsV1", "f:spec", "f:template"))


def annotates(entry: Object, name: str) -> bool:
    """Whether an entry owns the Deployment's annotation of this name."""
    return f"f:{name}" in mapping(entry, "fieldsV1", "f:metadata", "f:annotations")


def _paths(fields: Object) -> Statement:
    """A set of paths in fieldsV1 as a statement: `f:<field>`, `k:{<merge keys>}`, `v:<value of a set>`."""
    found: Statement = {}
    for path, rest in fields.items():
        kind, _, name = path.partition(":")
        key: Key | None = name if kind == "f" else _merge_key(name) if kind == "k" else None
        if key is not None:
            found[key] = _paths(rest) if isinstance(rest, dict) else {}
    return found


def _merge_key(text: str) -> Key | None:
    """The values of the merge keys of an element, in our order."""
    try:
        keys = orjson.loads(text)
    except ValueError:
        return None
    if not isinstance(keys, dict):
        return None
    names = next((names for names in MERGE_KEYS.values() if set(names) == set(keys)), tuple(sorted(keys)))
    values = tuple(keys[name] for name in names)
    return values if all(isinstance(value, str | int) for value in values) else None


def union(statements: Iterable[Statement]) -> Statement:
    """What any of them states."""
    merged: Statement = {}
    for statement in statements:
        for key, rest in statement.items():
            merged[key] = union((merged.get(key, {}), rest))
    return merged
