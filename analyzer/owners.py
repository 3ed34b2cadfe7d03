"""Which application an object belongs to: what is a canary's, or a route that may send requests to one."""

from typing import Any

from analyzer.kube.resources import DEPLOYMENTS
from analyzer.routing.mark import Mark
from webhook import stash

Object = dict[str, Any]


def primary_of(found: Object) -> str | None:
    """The primary's name, if `found` belongs to a canary: from the owner, since a label's value may be shortened.

    One without an owner (restored from a backup, or left by `kubectl delete --cascade=orphan`) is told by the label, or
    it would go on serving for ever. A shortened value is nobody's name, and what bears it goes as if nobody's.
    """
    label = (found["metadata"].get("labels") or {}).get(stash.CANARY_OF)
    if label is None:
        return None
    owners = found["metadata"].get("ownerReferences") or ()
    return next((str(owner["name"]) for owner in owners if owner["kind"] == DEPLOYMENTS.kind), str(label))


def owner_of(found: Object) -> str:
    """The name of the application that a Deployment, Service or Ingress belongs to, be it the primary itself."""
    return primary_of(found) or str(found["metadata"]["name"])


def owners_of(found: Object) -> set[str]:
    """The names of the primaries whose canary an object belongs to; of a user's route, in which it may be."""
    owner = primary_of(found)
    return set(Mark.on(found).canaries) if owner is None else {owner}
