"""What the analyzer asks of the webhook, as patches of the primary: nothing but its own label and annotation.

The webhook swaps the templates itself while it answers, so the fields stay the property of the user's own tools.
Every patch first tests the revision label: what is meant for one revision never lands on the next.
"""

from collections.abc import Mapping
from typing import Any

from analyzer.actions import Ask
from analyzer.kube.answers import Answer
from analyzer.kube.client import Client
from analyzer.kube.errors import ApiError, Conflict, Refused
from analyzer.kube.resources import DEPLOYMENTS
from webhook import stash

Object = Mapping[str, Any]

_NOBODYS = "0" * 64
_OUR_WEBHOOK = '.detour.dev" denied the request'


def ask(client: Client, primary: Object, request: Ask) -> dict[str, Any]:
    """Ask for one step of a promotion. Returns the Deployment as it is then.

    The same wish still lying there was stored while no webhook was called: asking again would change nothing, so it is
    taken away first.
    """
    value = stash.promote_request(request.verb, request.digest)
    if (primary["metadata"].get("annotations") or {}).get(stash.PROMOTE) == value:
        stale = {"op": "remove", "path": _pointer("annotations", stash.PROMOTE)}
        primary = _patch(client, primary, [stale]).object
    state = {stash.GO: stash.STATE_PROMOTING, stash.BACK: stash.STATE_REJECTED}.get(request.verb)
    return _patch(client, primary, [_asking(primary, request), *_state(primary, state)]).object


def do(client: Client, primary: Object, request: Ask) -> dict[str, Any]:
    """What the webhook would answer to `ask`, where none is called any more: the end of a promotion, either way.

    Nobody is left who could object to the owner of the fields. Raises Conflict for anything but an end.
    """
    replaced = stash.previous(dict(primary))
    if request.verb == stash.GO or replaced is None:
        raise Conflict(409, "Conflict", "no webhook is called any more, so nothing is promoted")
    kept = dict(primary["metadata"].get("annotations") or {})
    operations: list[Object] = [{"op": "remove", "path": _pointer("annotations", stash.PREVIOUS)}]
    if request.verb == stash.DONE:
        proven = stash.pushed(stash.history(dict(primary)), replaced.digest, request.digest)
        operations.append({"op": "add", "path": _pointer("annotations", stash.HISTORY), "value": proven})
        if stash.TEMPLATE not in kept:
            operations += [{"op": "remove", "path": _pointer("labels", stash.REVISION)}, *_state(primary, None)]
    else:
        failed = stash.encode(stash.Stash(dict(primary["spec"]["template"]), kept.get(stash.CHANGE_CAUSE)))
        operations.append({"op": "replace", "path": "/spec/template", "value": replaced.template})
        if stash.TEMPLATE not in kept:
            operations.append({"op": "add", "path": _pointer("annotations", stash.TEMPLATE), "value": failed})
    return _patch(client, primary, operations).object


def rehearse(client: Client, primary: Object, digest: str) -> str:
    """Ask for the swap in a dry run. "" if it would be accepted, else the API server's own message."""
    try:
        _patch(client, primary, [_asking(primary, Ask("go", digest))], dry_run=True)
    except Refused as refused:
        return refused.message
    return ""


def label(client: Client, primary: Object, state: str) -> dict[str, Any]:
    """Show `state` on the Deployment."""
    return _patch(client, primary, _state(primary, state)).object


def scale(client: Client, primary: Object, replicas: int) -> dict[str, Any]:
    """Ask for more replicas. Raises Conflict when somebody, an autoscaler say, has changed their number since."""
    path, seen = "/spec/replicas", primary["spec"].get("replicas")
    change = [{"op": "test", "path": path, "value": seen}, {"op": "replace", "path": path, "value": replicas}]
    return _patch(client, primary, list[Object](change)).object


def guard(client: Client, target: Object, *, managed: bool) -> str:
    """Mark the target for the webhook, unless it is `managed` by some label already.

    "" once its next update is sure to be diverted, else why it is not. What makes sure is a dry run that the webhook
    has to deny: a promotion of a revision that nobody has.
    """
    metadata = target["metadata"]
    labels = metadata.get("labels") or {}
    where = metadata["namespace"], metadata["name"]
    if stash.CANARY_OF in labels:
        return f"Deployment {metadata['name']} is a canary itself: put its primary into spec.targetRef.name"
    if labels.get(stash.POLICY) == stash.POLICY_NONE:
        return f"the Deployment opted out: take its label {stash.POLICY}={stash.POLICY_NONE} away"
    try:
        if not managed:
            client.merge(DEPLOYMENTS, *where, _relabelled(metadata, {stash.POLICY: stash.POLICY_CANARY}))
        asking = {"metadata": {"annotations": {stash.PROMOTE: stash.promote_request(stash.GO, _NOBODYS)}}}
        client.merge(DEPLOYMENTS, *where, asking, dry_run=True)
    except ApiError as error:
        if isinstance(error, Conflict) and _OUR_WEBHOOK not in error.message:
            raise  # it is another object by now: look again
        return "" if _OUR_WEBHOOK in error.message else error.message
    return "the webhook is not called yet: see 'kubectl get mutatingwebhookconfiguration zz-detour'"


def forget(client: Client, target: Object, said: str) -> dict[str, Any]:
    """Strip what was let past, now that it is told. Raises Conflict when something else stands there by now."""
    metadata, path = target["metadata"], _pointer("annotations", stash.LET_PAST)
    told = [{"op": "test", "path": path, "value": said}, {"op": "remove", "path": path}]
    return client.patch(DEPLOYMENTS, metadata["namespace"], metadata["name"], told).object


def release(client: Client, target: Object) -> bool:
    """Its target is nobody's business any more: our keys go. Returns whether there were any."""
    metadata = target["metadata"]
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    ours = {stash.REVISION, stash.STATE} | (
        {stash.POLICY} if labels.get(stash.POLICY) == stash.POLICY_CANARY else set()
    )
    gone = _relabelled(metadata, dict.fromkeys(ours & labels.keys()))
    gone["metadata"]["annotations"] = dict.fromkeys(stash.ANNOTATIONS & annotations.keys())
    if not gone["metadata"]["labels"]:
        return False
    client.merge(DEPLOYMENTS, metadata["namespace"], metadata["name"], gone)
    return True


def _relabelled(metadata: Object, labels: Mapping[str, str | None]) -> dict[str, Any]:
    """A merge patch that is accepted only for the object as we saw it. Raises Conflict when it is another by now."""
    return {"metadata": {"resourceVersion": metadata["resourceVersion"], "labels": dict(labels)}}


def _asking(primary: Object, request: Ask) -> Object:
    value = stash.promote_request(request.verb, request.digest)
    if primary["metadata"].get("annotations") is None:
        return {"op": "add", "path": "/metadata/annotations", "value": {stash.PROMOTE: value}}
    return {"op": "add", "path": _pointer("annotations", stash.PROMOTE), "value": value}


def _state(primary: Object, state: str | None) -> list[Object]:
    path = _pointer("labels", stash.STATE)
    if state is not None:
        return [{"op": "add", "path": path, "value": state}]
    return [{"op": "remove", "path": path}] if stash.state(dict(primary)) else []


def _patch(client: Client, primary: Object, operations: list[Object], *, dry_run: bool = False) -> Answer:
    metadata = primary["metadata"]
    held = (metadata.get("labels") or {}).get(stash.REVISION)
    test = {"op": "test", "path": _pointer("labels", stash.REVISION), "value": held}
    return client.patch(DEPLOYMENTS, metadata["namespace"], metadata["name"], [test, *operations], dry_run=dry_run)


def _pointer(kind: str, key: str) -> str:
    """A JSON Pointer (RFC 6901) to a label or annotation."""
    return f"/metadata/{kind}/{key.replace('~', '~0').replace('/', '~1')}"
