"""What a writer claims of a pod template: the leaves that it states, and those that it stated before and lets go.

A request tells which leaves *differ from the live primary*. A writer that states its whole wish every time also
means the leaves that do not differ, and tools keep books about it: client-side apply in an annotation, server-side
apply in managedFields. Without these books a manifest applied again could not be told from a step back.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from webhook.mergekeys import ATOMIC_MAPS, MERGE_KEYS, Key, keyed
from webhook.objects import annotations, elements, mapping
from webhook.request import Request
from webhook.revision import Object
from webhook.stash import TEMPLATE

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
CLIENT_SIDE_APPLY = "kubectl-client-side-apply"
REPLACE = "kubectl-replace"

Statement: TypeAlias = dict[Key, "Statement"]
"""What one configuration states, as a tree of its fields and merge keys; a leaf has no branches."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a writer claims at one place of a template and beneath it."""

    stated: bool
    children: Mapping[Key, "Claim"] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """The request's value counts with all that is beneath it, and its absence, too."""
        return not self.stated and not self.children


WHOLE = Claim(stated=False)


def claimed(request: Request) -> Claim | None:
    """What the writer of this request claims of the template; None: nothing but what it changed."""
    if _states_everything(request):
        return WHOLE
    if applied := _server_side(request):
        return applied
    return _client_side(request)


def _states_everything(request: Request) -> bool:
    """A `kubectl replace`, or an unnamed client that put another template and all annotations in place of the old.

    The latter is how `kubectl rollout undo` writes (k8s.io/kubectl/pkg/polymorphichelpers/rollback.go).
    """
    if request.manager:
        return request.manager == REPLACE
    was = annotations(request.old).get(TEMPLATE)
    return was is not None and annotations(request.object).get(TEMPLATE) != was and request.wanted != request.primary


def _client_side(request: Request) -> Claim | None:
    """From the manifests in last-applied-configuration, the new one and the one before."""
    new, old = (annotations(deployment).get(LAST_APPLIED) for deployment in (request.object, request.old))
    if not new or (new == old and request.manager != CLIENT_SIDE_APPLY):
        return None
    before = _manifest(old)
    after = before if new == old else _manifest(new)
    return Claim(True, _of_manifests(after, before)) if after else None


def _manifest(text: str | None) -> Statement:
    try:
        applied = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return {}
    return _stated(mapping(applied, "spec", "template"), "")


def _stated(value: Any, name: str) -> Statement:
    """A manifest's part as a statement."""
    parts: Mapping[Key, Any] | None = value if isinstance(value, dict) else keyed(name, value)
    if not parts:
        return {}
    return {key: _stated(part, key if isinstance(key, str) else "") for key, part in parts.items()}


def _of_manifests(new: Statement, old: Statement) -> dict[Key, Claim]:
    """Client-side apply deletes a key that the manifest no longer has with all that others put under it."""
    return {
        key: Claim(True, _of_manifests(new[key], old.get(key, {}))) if key in new else WHOLE for key in {**old, **new}
    }


def _server_side(request: Request) -> Claim | None:
    """From this manager's Apply entries in managedFields, as they are after the request and were before it."""
    if not request.manager:
        return None
    after, before = _entries(request.object), _entries(request.old)
    applied, update = (request.manager, "Apply"), (request.manager, "Update")
    if applied not in after or after.get(update) != before.get(update):
        return None  # not an apply, or one manager's name used for both: this was the other
    others = _union(_owned(fields) for owner, fields in after.items() if owner != applied)
    children = _of_owners(_owned(after[applied]), _owned(before.get(applied, {})), others)
    return Claim(True, children) if children else None


def _entries(deployment: Object) -> dict[tuple[str, str], Object]:
    """What of the template each manager owns, as fieldsV1, by its name and operation."""
    return {
        (str(entry.get("manager")), str(entry.get("operation"))): mapping(entry, "fieldsV1", "f:spec", "f:template")
        for entry in elements(deployment.get("metadata"), "managedFields")
        if not entry.get("subresource")
    }


def _owned(fields: Object) -> Statement:
    """A set of paths in fieldsV1 as a statement: `f:<field>`, `k:{<merge keys>}`, `v:<value of a set>`."""
    found: Statement = {}
    for path, rest in fields.items():
        kind, _, name = path.partition(":")
        key: Key | None = name if kind == "f" else _merge_key(name) if kind == "k" else None
        if key is not None:
            found[key] = _owned(rest) if isinstance(rest, dict) else {}
    return found


def _merge_key(text: str) -> Key | None:
    """The values of the merge keys of an element, in our order."""
    try:
        keys = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(keys, dict):
        return None
    names = next((names for names in MERGE_KEYS.values() if set(names) == set(keys)), tuple(sorted(keys)))
    values = tuple(keys[name] for name in names)
    return values if all(isinstance(value, str | int) for value in values) else None


def _of_owners(new: Statement, old: Statement, others: Statement) -> dict[Key, Claim]:
    """Server-side apply deletes what the configuration no longer has, but nothing that somebody else owns."""
    found: dict[Key, Claim] = {}
    for key, rest in new.items():
        children = _of_owners(rest, old.get(key, {}), others.get(key, {}))
        found[key] = WHOLE if not rest and key in ATOMIC_MAPS else Claim(True, children)
    for key in old.keys() - new.keys():
        if key not in others:
            found[key] = WHOLE
        elif children := _of_owners({}, old[key], others[key]):
            found[key] = Claim(False, children)
    return found


def _union(statements: Iterable[Statement]) -> Statement:
    merged: Statement = {}
    for statement in statements:
        for key, rest in statement.items():
            merged[key] = _union((merged.get(key, {}), rest))
    return merged
