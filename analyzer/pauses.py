"""Pauses: while a Namespace, or the one that Detour itself lives in, is marked so, no new analysis begins there.

What is on its way goes on; what comes meanwhile is diverted as ever, and waits. A primary that is down gets its fix all
the same, and so does who promotes by hand. With the other mark it does not wait, but goes directly.
"""

from collections.abc import Mapping
from typing import Any

PAUSED = "detour.dev/paused"  # annotation of a Namespace: by whom, and why
DIRECT = "detour.dev/direct"  # annotation of a Namespace: by whom, and why (manifests/policies/pauses.yaml)


def pause(namespace: Mapping[str, Any] | None, home: Mapping[str, Any] | None) -> str:
    """Why nothing new may begin in a Namespace; "" if it may. `home` is Detour's own, whose pause is the cluster's."""
    where, said = _marked(PAUSED, namespace, home)
    return f"{where} is paused {said}".rstrip() + ": kubectl detour resume lets it begin" if where else ""


def opening(namespace: Mapping[str, Any] | None, home: Mapping[str, Any] | None) -> str:
    """Why updates in a Namespace need no analysis for now; "" if they do."""
    where, said = _marked(DIRECT, namespace, home)
    return f"directly, as {where} says, {said}".rstrip(" ,") if where else ""


def _marked(mark: str, namespace: Mapping[str, Any] | None, home: Mapping[str, Any] | None) -> tuple[str, str]:
    """Where the mark stands, the cluster's before the Namespace's, and what it says."""
    for found, where in ((home, "the cluster"), (namespace, "the namespace")):
        said = ((found or {}).get("metadata", {}).get("annotations") or {}).get(mark)
        if said is not None:
            return where, str(said)
    return "", ""
