"""Two Deployments that are told the same: one that Detour manages, and its twin in a namespace without Detour.

They run no pods, since a quota allows none (`tests.cluster.podless`). Requests, ReplicaSets and rollbacks are as real
as anywhere.
"""

import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.deployed import Deployed
from tests.cluster.pair import REPLICA_SET, sides
from tests.twin.commands import DEPLOYMENT, NAME, Command, Object
from webhook import stash
from webhook.claims import LAST_APPLIED

WRITE = re.compile(r'verb="(?:PUT|PATCH|POST)" url="[^"]*/deployments')
LOG_LINE = re.compile(r"^[IWE]\d{4} .*$\n?", re.MULTILINE)
MODIFIED, TRIES = "the object has been modified", 5
"""The controller writes its status meanwhile; kubectl says so, and the person tries again."""


@dataclass(frozen=True)
class Told:
    """What came of a command. `reached`: it sent something that differs from what is live, or that Detour saw."""

    words: str
    refused: bool
    reached: bool


@dataclass(frozen=True)
class Side(Deployed):
    """One of the two."""

    namespace: str
    editor: Path
    name = NAME

    def create(self, first: Command) -> None:
        """A new Deployment in the place of any other."""
        self("delete", DEPLOYMENT, "--ignore-not-found")
        told = self.tell(first)
        assert not told.refused, told.words

    def tell(self, command: Command) -> Told:
        """Type it. kubectl's log of its requests tells whether it sent any that writes."""
        env = {**os.environ, "EDITOR": str(self.editor), "SCRIPT": command.script}
        for _ in range(TRIES):
            said = self("--v=6", *command.words, stdin=command.stdin or None, check=False, env=env)
            if MODIFIED not in said.err:
                break
        idle = "(no change)" in said.out and not said.warnings
        reached = bool(WRITE.search(said.err)) and not idle
        return Told(said.out + LOG_LINE.sub("", said.err), bool(said.code), reached)

    def read(self) -> Object:
        """The Deployment as it is stored."""
        return self.get(DEPLOYMENT, "--show-managed-fields")

    def before(self) -> Object | None:
        """The template that `rollout undo` goes back to, None where there is none."""
        uid = self.settled()["metadata"]["uid"]
        found = self.get("replicasets")["items"]
        owned = [one for one in found if one["metadata"]["ownerReferences"][0]["uid"] == uid]
        owned.sort(key=lambda one: int(one["metadata"]["annotations"][REPLICA_SET]))
        if len(owned) < 2:
            return None
        template: Object = owned[-2]["spec"]["template"]
        del template["metadata"]["labels"]["pod-template-hash"]
        return template


@contextmanager
def pair(folder: Path) -> Iterator[tuple[Side, Side]]:
    """Both namespaces, for as long as they are needed; the first is managed. `folder` takes the editor."""
    editor = folder / "editor"
    editor.write_text('#!/bin/sh\nexec sed -E -i "$SCRIPT" "$1"\n')
    editor.chmod(stat.S_IRWXU)
    with sides("twin") as found:
        yield Side(found.managed, editor), Side(found.twin, editor)


def beside(deployment: Object) -> Object:
    """What a user may have changed beside the template.

    Of the annotations only the last manifest (`tests.cluster.pair.beside` takes all): an undo that cancels what waits
    brings those of its ReplicaSet back in the twin alone.
    """
    metadata = deployment["metadata"]
    labels = {key: value for key, value in metadata.get("labels", {}).items() if key not in stash.LABELS}
    spec = {key: value for key, value in deployment["spec"].items() if key != "template"}
    applied = json.loads(metadata.get("annotations", {}).get(LAST_APPLIED, "{}"))
    applied.get("metadata", {}).pop("namespace", None)
    return {"labels": labels, "spec": spec, "last applied": applied}
