"""What a writer claims of a pod template: the leaves that it states, and those that it stated before and lets go.

A request tells which leaves *differ from the live primary*. A writer that states its whole wish every time also
means the leaves that do not differ, and tools keep books about it: client-side apply in an annotation, server-side
apply in managedFields. Without these books a manifest applied again could not be told from a step back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from webhook import stash
from webhook.books import Owner, Statement, annotates, entries, owned, union
from webhook.mergekeys import ATOMIC_MAPS, Key, keyed
from webhook.objects import annotations, labels, mapping, template
from webhook.request import Request
from webhook.revision import Object, Template

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
CLIENT_SIDE_APPLY = "kubectl-client-side-apply"
REPLACE = "kubectl-replace"
KUBECTL = "kubectl-"
HELM = "helm"
RELEASE = "meta.helm.sh/release-name"

OURS = stash.LABELS | stash.ANNOTATIONS | {stash.CHANGE_CAUSE}


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
LEAF = Claim(stated=True)


def claimed(request: Request, waiting: Template) -> Claim | None:
    """What the writer of this request claims of the template; None: nothing but what it changed.

    A webhook may be called twice about one request, and then finds the primary's template where an earlier call of
    ours restored it. That is no wish to go back to it, so `waiting`, the template that is diverted, is looked at, too.
    """
    if _states_everything(request):
        return WHOLE
    if applied := _server_side(request):
        return applied
    return _released(request) or _client_side(request, waiting)


def _states_everything(request: Request) -> bool:
    """A `kubectl replace`, or an unnamed client that put another template and all annotations in place of the old.

    The latter is how `kubectl rollout undo` writes (k8s.io/kubectl/pkg/polymorphichelpers/rollback.go). What brings
    our annotation along as it is stored was read from the live object, and states no more than it changed. What lacks
    our label, too, was not (`helm upgrade --force`).
    """
    was = annotations(request.old).get(stash.TEMPLATE)
    if annotations(request.object).get(stash.TEMPLATE) == was:
        return False
    if stash.REVISION in labels(request.old) and stash.REVISION not in labels(request.object):
        return True
    return request.manager == REPLACE or (not request.manager and request.wanted != request.primary)


def _client_side(request: Request, waiting: Template) -> Claim | None:
    """From the manifests in last-applied-configuration, the new one and the one before.

    One that brings our annotation was read from here while something waited. What it has of the primary's it found
    there, and nobody asked for it.
    """
    new, old = (annotations(deployment).get(LAST_APPLIED) for deployment in (request.object, request.old))
    if not new or (new == old and not _applies(request)):
        return None
    applied = _read(new)
    if stash.TEMPLATE in annotations(applied):
        return None
    manifest = template(applied)
    after = _stated(manifest, "")
    before = after if new == old else _stated(template(_read(old)), "")
    sides = waiting, request.primary
    if request.wanted == request.primary and (
        new == old or _says(manifest, *sides, "") or _drops((before, after), *sides, "")
    ):
        return None  # kubectl sends what differs, and what the manifest says: the template was restored by us
    return Claim(True, _of_manifests(after, before)) if after else None


def _applies(request: Request) -> bool:
    """Whether it comes from a client-side apply: kubectl's, or that of a tool which calls it by another name."""
    if request.manager.startswith(KUBECTL):
        return request.manager == CLIENT_SIDE_APPLY
    return annotates(entries(request.object).get((request.manager, "Update"), {}), LAST_APPLIED)


def _read(text: str | None) -> Object:
    """A manifest, empty where it cannot be read."""
    try:
        return mapping(orjson.loads(text) if isinstance(text, str) else None)
    except ValueError:
        return {}


def _says(manifest: Any, waiting: Any, primary: Any, name: str) -> bool:
    """Whether a part of the manifest is as what waits has it, and not as the primary does."""
    sides = [side if isinstance(side, dict) else keyed(name, side) for side in (manifest, waiting, primary)]
    stated, theirs, lives = sides
    if stated and theirs is not None:
        return any(
            _says(part, theirs.get(key), (lives or {}).get(key), key if isinstance(key, str) else "")
            for key, part in stated.items()
        )
    return bool(manifest == waiting != primary)


def _drops(manifests: tuple[Statement, Statement], waiting: Any, primary: Any, name: str) -> bool:
    """Whether the manifest has no longer what the primary has and what waits has not."""
    before, after = manifests
    theirs, lives = (side if isinstance(side, dict) else keyed(name, side) or {} for side in (waiting, primary))
    return any(
        _drops((rest, after[key]), theirs.get(key), lives.get(key), key if isinstance(key, str) else "")
        if key in after
        else key in lives and key not in theirs
        for key, rest in before.items()
    )


def _stated(value: Any, name: str) -> Statement:
    """A manifest's part as a statement."""
    parts: Mapping[Key, Any] | None = value if isinstance(value, dict) else keyed(name, value)
    if not parts:
        return {}
    return {
        key: _stated(part, key if isinstance(key, str) else "") if isinstance(part, dict | list) else {}
        for key, part in parts.items()
    }


def _of_manifests(new: Statement, old: Statement) -> dict[Key, Claim]:
    """Client-side apply deletes a key that the manifest no longer has with all that others put under it."""
    found = dict.fromkeys(old.keys() - new.keys(), WHOLE)
    for key, rest in new.items():
        former = old.get(key, {})
        found[key] = Claim(True, _of_manifests(rest, former)) if rest or former else LEAF
    return found


def _server_side(request: Request) -> Claim | None:
    """From this manager's Apply entries in managedFields, as they are after the request and were before it."""
    if not request.manager:
        return None
    after, before = entries(request.object), entries(request.old)
    applied, update = (request.manager, "Apply"), (request.manager, "Update")
    if applied not in after or (applied in before and after.get(update) != before.get(update)):
        return None  # not an apply, or one manager's name used for both: this was the other
    if _restored(request, after[applied], before.get(applied, {})) or _books_moved(request, after, before):
        return None
    others = union(owned(entry) for owner, entry in after.items() if owner != applied)
    children = _of_owners(owned(after[applied]), owned(before.get(applied, {})), others)
    return Claim(True, children) if children else None


def _released(request: Request) -> Claim | None:
    """From the fields that the manager of a Helm release owns: Helm without server-side apply keeps no books here.

    It sends whatever of its release the live object has otherwise, and nothing of what is live already (`createPatch`
    in helm.sh/helm/v3/pkg/kube/client.go). So all that it ever stated counts as it stands in the request. A request
    that changes nothing of the template is such a one where it changes something else, as a rollback does with the
    labels of the chart.
    """
    manager = (request.manager, "Update")
    after, before = entries(request.object).get(manager, {}), entries(request.old).get(manager, {})
    releases = request.manager == HELM or (annotates(before, RELEASE) and not request.manager.startswith(KUBECTL))
    if not releases or (request.wanted == request.primary and _rest(request.object) == _rest(request.old)):
        return None
    children = _of_owners(owned(after), owned(before), {})
    return Claim(True, children) if children else None


def _restored(request: Request, after: Object, before: Object) -> bool:
    """Whether the primary's template stands in this apply only because we put it there, in an earlier call.

    There is a second call where the label of the policy comes or goes, since both entries of the configuration match.
    The API server renews the time of an entry when an apply changes the object, or the fields that it owns
    (managedfieldsupdater.go). So the time of an apply that changed neither, and is new, tells of a change taken back.
    """
    if labels(request.object).get(stash.POLICY) == labels(request.old).get(stash.POLICY):
        return False
    if request.wanted != request.primary or after.get("fieldsV1") != before.get("fieldsV1"):
        return False
    return after.get("time") != before.get("time") and _rest(request.object) == _rest(request.old)


def _books_moved(request: Request, after: Mapping[Owner, Object], before: Mapping[Owner, Object]) -> bool:
    """Whether somebody's entry became the manager's, and nothing else happened: a patch of the books is no apply.

    kubectl sends one after its first apply --server-side (k8s.io/client-go/util/csaupgrade), and Flux before an apply
    that finds fields of kubectl's (github.com/fluxcd/pkg/ssa). An apply, even a forced one, takes from others only what
    it changes. (Whether it is forced, no webhook is told: the options that it sees are those of an update.)
    """
    return request.wanted == request.primary and bool(before.keys() - after.keys())


def _rest(deployment: Object) -> tuple[Object, ...]:
    """What a user may have changed beside the template."""
    parts = mapping(deployment, "spec"), labels(deployment), annotations(deployment)
    return tuple({key: part[key] for key in part.keys() - OURS - {"template"}} for part in parts)


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
