"""Who owns the fields of an object (managedFields): what Flagger and a take-over have written is its user's again.

Otherwise the user's next server-side apply of it would conflict with managers that are no longer there, and what it no
longer states would stay for ever. https://kubernetes.io/docs/reference/using-api/server-side-apply/
"""

from analyzer.kube.client import FIELD_MANAGER
from analyzer.kube.resources import Resource
from detour.takeover.found import Object
from detour.takeover.steps import Step, patch

GONE = frozenset({"flagger", FIELD_MANAGER})


def disowned(resource: Resource, thing: Object) -> Step | None:
    """Take these managers out of its books; None if they do not stand there as owners of its spec."""
    entries = thing["metadata"].get("managedFields") or []
    theirs = [number for number, entry in enumerate(entries) if _owns_spec(entry)]
    if not theirs:
        return None
    operations = [{"op": "remove", "path": f"/metadata/managedFields/{number}"} for number in reversed(theirs)]
    name = f"{resource.kind} {thing['metadata']['name']}"
    return patch(resource, thing, f"leave the fields of {name} to those who write its manifest", *operations)


def _owns_spec(entry: Object) -> bool:
    """Of the metadata Detour goes on owning its labels."""
    return entry.get("manager") in GONE and "f:spec" in (entry.get("fieldsV1") or {})
