"""What is left on the users' Deployments when Detour goes: nothing of ours, but for an update that waits.

That one stays where it is, for the next installation, and its label `detour.dev/state=pending` says so. It is worth
something only as long as the primary is what it was put off for, so the history ends with that one's digest.
"""

from collections.abc import Mapping
from typing import Any

from analyzer.kube.client import Client
from analyzer.kube.errors import Conflict, NotFound
from analyzer.kube.resources import DEPLOYMENTS
from webhook import stash
from webhook.revision import digest

Object = Mapping[str, Any]

TRIES = 5
KEPT = frozenset({stash.TEMPLATE, stash.DIVERTED_BY, stash.HISTORY})


def leave(client: Client, *, keep: bool = True) -> list[Object]:
    """Take our keys off every Deployment there is. Returns those with an update that waits, which is kept if `keep`.

    Repeatable. A webhook that is still called would put back what it has not taken off itself.
    """
    waiting = []
    for found in client.list(DEPLOYMENTS).get("items") or ():
        if waits(found):
            waiting.append(found)
        if (patch := farewell(found, keep=keep)) is not None:
            _carry_out(client, found, patch, keep)
    return waiting


def _carry_out(client: Client, found: Object, patch: Object, keep: bool) -> None:
    """Raises Conflict when the Deployment changes faster than this."""
    where = found["metadata"]["namespace"], found["metadata"]["name"]
    for left in reversed(range(TRIES)):
        try:
            client.merge(DEPLOYMENTS, *where, dict(patch))
            return
        except NotFound:
            return
        except Conflict:
            if not left:
                raise
        again = farewell(client.get(DEPLOYMENTS, *where), keep=keep)
        if again is None:
            return
        patch = again


def waits(found: Object) -> bool:
    """Whether an update waits on a Deployment."""
    return stash.TEMPLATE in _of(found, "annotations") and not _is_made_by_us(found)


def farewell(found: Object, *, keep: bool = True) -> dict[str, Any] | None:
    """The merge patch by which we leave a Deployment, None where there is nothing to do."""
    if _is_made_by_us(found):
        return None
    labels = _of(found, "labels")
    off: dict[str, dict[str, str | None]]
    if keep and waits(found):
        proven = stash.pushed(stash.history(dict(found)), digest(found["spec"]["template"]))
        off = {
            "labels": {stash.STATE: stash.STATE_PENDING},
            "annotations": dict.fromkeys(stash.ANNOTATIONS - KEPT) | {stash.HISTORY: proven},
        }
    else:
        ours = {stash.REVISION, stash.STATE}
        if labels.get(stash.POLICY) == stash.POLICY_CANARY:
            ours.add(stash.POLICY)
        off = {"labels": dict.fromkeys(ours), "annotations": dict.fromkeys(stash.ANNOTATIONS)}
    changed = {kind: _changes(wanted, _of(found, kind)) for kind, wanted in off.items()}
    if not any(changed.values()):
        return None
    version = {"resourceVersion": found["metadata"]["resourceVersion"]}
    return {"metadata": version | {kind: change for kind, change in changed.items() if change}}


def is_outdated(primary: Object) -> bool:
    """Whether what an installation before this one has kept was put off for another primary than there is by now."""
    if stash.state(dict(primary)) != stash.STATE_PENDING:
        return False
    return stash.history(dict(primary))[-1:] != (digest(primary["spec"]["template"]),)


def _changes(wanted: Mapping[str, str | None], there: Mapping[str, str]) -> dict[str, str | None]:
    return {key: value for key, value in wanted.items() if there.get(key) != value}


def _is_made_by_us(found: Object) -> bool:
    return stash.CANARY_OF in _of(found, "labels")


def _of(found: Object, kind: str) -> Mapping[str, str]:
    return found["metadata"].get(kind) or {}
