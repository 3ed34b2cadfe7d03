"""What kubectl does with one command: it reads the live Deployment, works out a request, and sends it, or sends none.

Every client takes an `ApiServer` and returns what came of it, or None where it sent nothing: kubectl found no
difference from what is live, or not the container that it was told to change.
"""

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.webhook.model import ANALYZER, ApiServer, Notes, Sent
from tests.webhook.trees import Keyed, defaulted, tree
from webhook import stash
from webhook.claims import CLIENT_SIDE_APPLY, LAST_APPLIED
from webhook.revision import RESTARTED_AT, digest

Client = Callable[[ApiServer], Sent | None]


def set_image(container: str, image: str) -> Client:
    """`kubectl set image deploy/podinfo <container>=<image>`."""

    def edit(found: Any) -> None:
        found["image"] = image

    return _set(container, edit)


def set_env(container: str, name: str, value: str | None) -> Client:
    """`kubectl set env deploy/podinfo <name>=<value>`, or `<name>-`."""

    def edit(found: Any) -> None:
        env = found.setdefault("env", Keyed())
        if value is None:
            env.pop((name,), None)
        else:
            env[(name,)] = {"name": name, "value": value}

    return _set(container, edit)


def set_resources(container: str, cpu: str) -> Client:
    """`kubectl set resources deploy/podinfo --limits=cpu=<cpu>`."""

    def edit(found: Any) -> None:
        found.setdefault("resources", {}).setdefault("limits", {})["cpu"] = cpu

    return _set(container, edit)


def restart(stamp: str) -> Client:
    """`kubectl rollout restart deploy/podinfo`."""

    def command(server: ApiServer) -> Sent | None:
        template = server.template
        template.setdefault("metadata", {}).setdefault("annotations", {})[RESTARTED_AT] = stamp
        return None if template == server.template else server.update(template, "kubectl-rollout")

    return command


def apply(manifest: Any) -> Client:
    """`kubectl apply -f`: a three-way merge, worked out by the client (k8s.io/kubectl/pkg/cmd/apply/patcher.go)."""

    def command(server: ApiServer) -> Sent | None:
        last = server.annotations.get(LAST_APPLIED)
        before = tree(json.loads(last)["spec"]["template"]) if last else {}
        merged = merge(server.template, tree(manifest), before)
        note = last_applied(manifest)
        if defaulted(copy.deepcopy(merged)) == server.template and note == last:
            return None
        return server.update(merged, CLIENT_SIDE_APPLY, {LAST_APPLIED: note})

    return command


def server_side(manifest: Any, manager: str) -> Client:
    """`kubectl apply --server-side --force-conflicts --field-manager=<manager>`."""
    return lambda server: server.apply(manifest, manager)


def replace(manifest: Any) -> Client:
    """`kubectl replace -f`, of a file without annotations."""

    def command(server: ApiServer) -> Sent | None:
        return server.update(tree(manifest), "kubectl-replace", dict.fromkeys(server.annotations))

    return command


@dataclass(frozen=True)
class Promotion:
    """What the analyzer asks for; no command of a user's, and nothing to a twin."""

    verb: str

    def __call__(self, server: ApiServer) -> Sent | None:
        waiting, promoting = stash.diverted(server.live), stash.previous(server.live) is not None
        if promoting == (self.verb == stash.GO) or (self.verb == stash.GO and waiting is None):
            return None
        whole = digest(server.live["spec"]["template"]) if promoting or waiting is None else waiting.digest
        ask: Notes = {stash.PROMOTE: stash.promote_request(self.verb, whole)}
        return server.update(server.template, "detour", ask, ANALYZER)


def last_applied(manifest: Any) -> str:
    return json.dumps({"spec": {"template": manifest}}, sort_keys=True)


def merge(current: Any, modified: Any, original: Any) -> Any:
    """A strategic three-way merge: what the manifest states, without what it stated before and no longer does."""
    if type(current) is not type(modified) or not isinstance(current, dict):
        return copy.deepcopy(modified)
    original = original if isinstance(original, dict) else {}
    kept = {key: part for key, part in current.items() if key not in original or key in modified}
    parts = {
        key: merge(kept[key], modified[key], original.get(key, {}))
        if key in kept and key in modified
        else copy.deepcopy(modified.get(key, kept.get(key)))
        for key in {**kept, **modified}
    }
    if not isinstance(current, Keyed):
        return parts
    return Keyed({key: parts[key] for key in _order(list(modified), [k for k in kept if k not in modified], current)})


def _order(stated: list[Any], kept: list[Any], server: Any) -> list[Any]:
    """`$setElementOrder`, as `mergeSortedSlice` in k8s.io/apimachinery/pkg/util/strategicpatch carries it out."""
    place = {key: index for index, key in enumerate(server)}
    merged: list[Any] = []
    while stated and kept:
        less = stated[0] in place and place[kept[0]] < place[stated[0]]
        merged.append((kept if less else stated).pop(0))
    return merged + stated + kept


def _set(container: str, edit: Callable[[Any], None]) -> Client:
    def command(server: ApiServer) -> Sent | None:
        template = server.template
        found = template["spec"]["containers"].get((container,))
        if found is None:
            return None
        edit(found)
        return None if defaulted(copy.deepcopy(template)) == server.template else server.update(template, "kubectl-set")

    return command
