"""What tools say of a manifest before they apply it: kubectl, and Argo CD and Flux by their own code."""

import json
import math
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from difflib import ndiff
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from sandbox import build
from sandbox.parts import Part
from tests.cluster.kubectl import KUBECONFIG, Object, get, kubectl

GITOPS = Part(
    name="drift",
    version="1",
    programs={"drift": "detour.dev/tests/drift"},
    minutes=1.5,
    gigabytes=3,
    home=Path(__file__).parent / "parts",
)
OF_THE_SERVER = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid")
"""What of the metadata nobody states."""
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


@dataclass(frozen=True, slots=True)
class Seen:
    """The verdict of a tool, the lines that it would take away (`-…`) and add (`+…`), and what it said besides.

    `error`: why there is no verdict.
    """

    drifted: bool = False
    change: frozenset[str] = frozenset()
    said: str = ""
    error: str = ""

    @property
    def in_sync(self) -> bool:
        """By its verdict, and by what it shows."""
        return not (self.drifted or self.change or self.error)

    @property
    def taken_off(self) -> set[str]:
        """The keys of Detour's that would go."""
        return {line[1:].partition(":")[0] for line in self.change if line.startswith("-detour.dev/")}


@dataclass(frozen=True, slots=True)
class Tool:
    """One way to apply a manifest, and to look before."""

    name: str
    sync: Callable[[Object], None]
    look: Callable[[Object], Seen]


def kubectl_apply(*flags: str) -> Callable[[Object], None]:
    """`kubectl apply`, for real."""

    def sync(manifest: Object) -> None:
        kubectl("apply", *flags, "-f", "-", stdin=json.dumps(manifest))

    return sync


def kubectl_diff(*flags: str) -> Callable[[Object], Seen]:
    """`kubectl diff`, which exits 0 where there is no difference, 1 where there is one, above 1 if it cannot tell."""

    def look(manifest: Object) -> Seen:
        said = kubectl("diff", *flags, "-f", "-", stdin=json.dumps(manifest), check=False)
        if said.code not in (0, 1):
            return Seen(error=said.err)
        lines = [line for line in said.out.splitlines() if not line.startswith(("---", "+++"))]
        return Seen(said.code == 1, _change(lines), said.err)

    return look


def kubectl_dry_run(*flags: str) -> Callable[[Object], Seen]:
    """`kubectl apply --dry-run=server`, whose answer a person compares with what there is."""

    def look(manifest: Object) -> Seen:
        arguments = ("apply", *flags, "--dry-run=server", "-o", "json", "-f", "-")
        said = kubectl(*arguments, stdin=json.dumps(manifest), check=False)
        if said.code:
            return Seen(error=said.err)
        metadata = manifest["metadata"]
        live = get("-n", metadata["namespace"], "deployment", metadata["name"])
        change = _difference(live, json.loads(said.out))
        return Seen(bool(change), change, said.err)

    return look


def sync_by(how: str) -> Callable[[Object], None]:
    """The sync of Argo CD or Flux."""

    def sync(manifest: Object) -> None:
        answer = _ask("sync", how, manifest)
        assert not answer["error"], answer["error"]

    return sync


def look_by(how: str) -> Callable[[Object], Seen]:
    """The comparison of Argo CD or Flux."""

    def look(manifest: Object) -> Seen:
        answer = _ask("diff", how, manifest)
        change = _difference(answer["live"], answer["predicted"])
        return Seen(answer["drifted"], change, error=answer["error"])

    return look


FORCED = ("--server-side", "--force-conflicts")
KUBECTL_DIFF = Tool("kubectl diff", kubectl_apply(), kubectl_diff())
TOOLS = (
    KUBECTL_DIFF,
    Tool("kubectl diff --server-side", kubectl_apply(*FORCED), kubectl_diff(*FORCED)),
    Tool("kubectl apply --dry-run=server", kubectl_apply(), kubectl_dry_run()),
    Tool("kubectl apply --server-side --dry-run=server", kubectl_apply(*FORCED), kubectl_dry_run(*FORCED)),
    *(
        Tool(f"{diff} after {sync}", sync_by(sync), look_by(diff))
        for sync in ("argocd", "argocd ServerSideApply")
        for diff in ("argocd ServerSideDiff", "argocd ServerSideDiff,IncludeMutationWebhook")
    ),
    Tool("flux", sync_by("flux"), look_by("flux")),
)


@cache
def program() -> Path:
    """Built once, and kept like the sandbox's own parts."""
    return build.programs([GITOPS])["drift"]


def _ask(verb: str, how: str, manifest: Object) -> dict[str, Any]:
    command = [str(program()), str(KUBECONFIG), verb, how]
    done = subprocess.run(command, input=json.dumps(manifest), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def _difference(live: Object | None, predicted: Object | None) -> frozenset[str]:
    before, after = (yaml.safe_dump(_stated(each or {}), width=math.inf).splitlines() for each in (live, predicted))
    return _change([line for line in ndiff(before, after) if line.startswith(("- ", "+ "))])


def _stated(found: Object) -> Object:
    """Without what the API server and kubectl write for themselves."""
    metadata = {key: part for key, part in found.get("metadata", {}).items() if key not in OF_THE_SERVER}
    metadata["annotations"] = {k: v for k, v in (metadata.get("annotations") or {}).items() if k != LAST_APPLIED}
    return {"metadata": metadata, "spec": found.get("spec")}


def _change(lines: list[str]) -> frozenset[str]:
    """The lines of a difference without their indentation."""
    changed = (f"{line[0]}{line[1:].strip()}" for line in lines if line[:1] in ("-", "+"))
    return frozenset(line for line in changed if not line[1:].startswith("generation:"))
