"""Whose the rules of a user's route are, in the API server's own books, after we have changed them: his, as before.

`spec.rules` is one value to server-side apply (listType atomic). Whoever changes it takes it over from its managers,
and the next apply of another value by one of these would be refused as a conflict with us. So after each change a
second one puts the book right: it is of `metadata.managedFields`, and takes nothing over as it changes nothing else.
(Kubernetes docs, "Server-Side Apply": conflicts, and managedFields in an update.)
"""

from collections.abc import Mapping, Sequence
from typing import Any

Object = Mapping[str, Any]
Owner = Mapping[str, str]

_IDENTITY = ("manager", "operation", "apiVersion")
_FIELDS: Object = {"f:spec": {"f:rules": {}}}


def owners(found: Object, us: str) -> tuple[dict[str, str], ...]:
    """Who has the rules of a route, besides the field manager that is us."""
    return tuple(
        {key: str(entry.get(key, "")) for key in _IDENTITY}
        for entry in _entries(found)
        if not _is_ours(entry, us) and "f:rules" in ((entry.get("fieldsV1") or {}).get("f:spec") or {})
    )


def handed_back(found: Object, to: Sequence[Owner], us: str) -> list[dict[str, Any]]:
    """The book of a route, as if we had never written to it; `to` had its rules before. Others have what they have."""
    book = [dict(entry) for entry in _entries(found) if not _is_ours(entry, us)]
    for owner in to:
        entry = next((each for each in book if _is_of(each, owner)), None)
        if entry is None:  # it had nothing else
            book.append({**owner, "fieldsType": "FieldsV1", "fieldsV1": _FIELDS})
        else:
            fields = entry.get("fieldsV1") or {}
            entry["fieldsV1"] = {**fields, "f:spec": {**(fields.get("f:spec") or {}), "f:rules": {}}}
    return book


def _entries(found: Object) -> Sequence[Object]:
    return found["metadata"].get("managedFields") or ()


def _is_of(entry: Object, owner: Owner) -> bool:
    return not entry.get("subresource") and all(entry.get(key) == owner[key] for key in _IDENTITY)


def _is_ours(entry: Object, us: str) -> bool:
    return entry.get("manager") == us and not entry.get("subresource")
