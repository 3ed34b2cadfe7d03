"""A JSON merge patch, for what stands in for an API server."""

from typing import Any


def merged(target: Any, change: Any) -> Any:
    """What becomes of `target` (RFC 7396); it stays as it is itself."""
    if not isinstance(change, dict):
        return change
    after = dict(target) if isinstance(target, dict) else {}
    for key, value in change.items():
        if value is None:
            after.pop(key, None)
        else:
            after[key] = merged(after.get(key), value)
    return after
