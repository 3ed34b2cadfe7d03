"""Two Deployments that are told the same: one that Detour manages, and its twin in a namespace without Detour.

They run no pods, since a quota allows none; `maxUnavailable: 100%` has them called available all the same. Their
policy does not exist, so the analyzer begins nothing. Requests, ReplicaSets and rollbacks are as real as anywhere.
"""

import json
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.kubectl import eventually, get, kubectl
from tests.twin.commands import DEPLOYMENT, Command, Object
from webhook import stash
from webhook.claims import LAST_APPLIED

POLICY = {stash.POLICY: "twin-has-none"}
NO_PODS = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "no-pods"},
    "spec": {"hard": {"pods": "0"}},
}
WRITE = re.compile(r'verb="(?:PUT|PATCH|POST)" url="[^"]*/deployments')
LOG_LINE = re.compile(r"^[IWE]\d{4} .*$\n?", re.MULTILINE)
REPLICA_SET_NUMBER = "deployment.kubernetes.io/revision"
MODIFIED, TRIES = "the object has been modified", 5
"""The controller writes its status meanwhile; kubectl says so, and the person tries again."""
CATCHES_UP = 20.0
"""Seconds for the controller to have seen the latest template."""


@dataclass(frozen=True)
class Told:
    """What came of a command. `reached`: it sent something that differs from what is live, or that Detour saw."""

    words: str
    refused: bool
    reached: bool


@dataclass(frozen=True)
class Deployed:
    """One of the two."""

    namespace: str
    editor: Path

    def create(self, first: Command) -> None:
        """A new Deployment in the place of any other."""
        kubectl("--namespace", self.namespace, "delete", DEPLOYMENT, "--ignore-not-found")
        told = self.tell(first)
        assert not told.refused, told.words

    def tell(self, command: Command) -> Told:
        """Type it. kubectl's log of its requests tells whether it sent any that writes."""
        env = {**os.environ, "EDITOR": str(self.editor), "SCRIPT": command.script}
        words = ("--v=6", "--namespace", self.namespace, *command.words)
        for _ in range(TRIES):
            said = kubectl(*words, stdin=command.stdin or None, check=False, env=env)
            if MODIFIED not in said.err:
                break
        idle = "(no change)" in said.out and not said.warnings
        reached = bool(WRITE.search(said.err)) and not idle
        return Told(said.out + LOG_LINE.sub("", said.err), bool(said.code), reached)

    def read(self) -> Object:
        """The Deployment as it is stored."""
        return get("--namespace", self.namespace, DEPLOYMENT, "--show-managed-fields")

    def before(self) -> Object | None:
        """The template that `rollout undo` goes back to, None where there is none."""
        uid = eventually(self._settled, "the controller caught up", CATCHES_UP, self.read)
        found = get("--namespace", self.namespace, "replicasets")["items"]
        owned = [one for one in found if one["metadata"]["ownerReferences"][0]["uid"] == uid]
        owned.sort(key=lambda one: int(one["metadata"]["annotations"][REPLICA_SET_NUMBER]))
        if len(owned) < 2:
            return None
        template: Object = owned[-2]["spec"]["template"]
        del template["metadata"]["labels"]["pod-template-hash"]
        return template

    def _settled(self) -> str:
        deployment = self.read()
        seen = deployment.get("status", {}).get("observedGeneration") == deployment["metadata"]["generation"]
        return str(deployment["metadata"]["uid"]) if seen else ""


@contextmanager
def pair(folder: Path) -> Iterator[tuple[Deployed, Deployed]]:
    """Both namespaces, for as long as they are needed; the first is managed. `folder` takes the editor."""
    editor = folder / "editor"
    editor.write_text('#!/bin/sh\nexec sed -E -i "$SCRIPT" "$1"\n')
    editor.chmod(stat.S_IRWXU)
    with ExitStack() as stack:
        sides = [stack.enter_context(_namespace(labels)) for labels in (POLICY, {})]
        yield Deployed(sides[0], editor), Deployed(sides[1], editor)


@contextmanager
def _namespace(labels: Object) -> Iterator[str]:
    name = f"twin-{secrets.token_hex(3)}"
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    kubectl("create", "-f", "-", stdin=json.dumps(space))
    try:
        kubectl("--namespace", name, "create", "-f", "-", stdin=json.dumps(NO_PODS))
        yield name
    finally:
        kubectl("delete", "namespace", name, "--wait=false")


def desired(deployment: Object) -> Object:
    """The template that waits, or the live one where none does."""
    waiting = stash.diverted(deployment)
    found: Object = waiting.template if waiting else deployment["spec"]["template"]
    return found


def beside(deployment: Object) -> Object:
    """What a user may have changed beside the template."""
    metadata = deployment["metadata"]
    labels = {key: value for key, value in metadata.get("labels", {}).items() if key not in stash.LABELS}
    spec = {key: value for key, value in deployment["spec"].items() if key != "template"}
    applied = json.loads(metadata.get("annotations", {}).get(LAST_APPLIED, "{}"))
    applied.get("metadata", {}).pop("namespace", None)
    return {"labels": labels, "spec": spec, "last applied": applied}
