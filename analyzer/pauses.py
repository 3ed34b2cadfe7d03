"""Pauses: while a Namespace, or the one that Detour itself lives in, is marked so, no new analysis begins there.

What is on its way goes on; what comes meanwhile is diverted as ever, and waits. A primary that is down gets its fix all
the same, and so does who promotes by hand.
"""

from collections.abc import Mapping
from typing import Any

PAUSED = "detour.dev/paused"  # annotation of a Namespace: by whom, and why


def pause(namespace: Mapping[str, Any] | None, home: Mapping[str, Any] | None) -> str:
    """Why nothing new may begin in a Namespace; "" if it may. `home` is Detour's own, whose pause is the cluster's."""
    for found, where in ((home, "the cluster"), (namespace, "the namespace")):
        said = ((found or {}).get("metadata", {}).get("annotations") or {}).get(PAUSED)
        if said is not None:
            return f"{where} is paused {said}".rstrip() + ": kubectl detour resume lets it begin"
    return ""
