"""Conflicts of server-side apply that the API server cannot see, since it compares with the primary.

Who applies the old value of a field that somebody else has changed would get a conflict without Detour. The live value
still is the old one, so nothing would keep him from taking the canary away, without being told.
"""

from collections.abc import Iterator
from typing import Any

from webhook.books import Statement, entries, owned
from webhook.claims import server_side
from webhook.mergekeys import MERGE_KEYS, Key, keyed
from webhook.request import Request
from webhook.revision import Object, Template


def conflict(request: Request, waiting: Template) -> str:
    """What the API server would have said of an apply that is not forced, were `waiting` live; empty: nothing.

    In its words (`getConflictMessage` in k8s.io/apimachinery/pkg/util/managedfields/internal/conflict.go).
    """
    if request.forced or server_side(request) is None:
        return ""
    applied = (request.manager, "Apply")
    mine, sides = owned(entries(request.object)[applied]), (request.wanted, waiting)
    found = [
        (_owner(entry), path)
        for owner, entry in sorted(entries(request.old).items())
        if owner != applied
        for path in sorted(_differing((mine, owned(entry)), sides, ".spec.template", ""))
    ]
    if len(found) == 1:
        return f"Apply failed with 1 conflict: conflict with {found[0][0]}: {found[0][1]}"
    lines: list[str] = []
    for owner in dict.fromkeys(owner for owner, _ in found):
        lines += [f"conflicts with {owner}:", *(f"- {path}" for one, path in found if one == owner)]
    return f"Apply failed with {len(found)} conflicts: " + "\n".join(lines) if found else ""


def _differing(owners: tuple[Statement, Statement], sides: tuple[Any, Any], path: str, name: str) -> Iterator[str]:
    """The fields that both own, and in which the two templates differ; `name` is the field that they stand in."""
    mine, theirs = owners
    for key in mine.keys() & theirs.keys():
        here = path + (f".{key}" if isinstance(key, str) else _element(name, key))
        wanted, waiting = (_part(side, key, name) for side in sides)
        if mine[key] and theirs[key]:
            yield from _differing(
                (mine[key], theirs[key]), (wanted, waiting), here, key if isinstance(key, str) else ""
            )
        elif isinstance(key, str) and not mine[key] and not theirs[key] and wanted != waiting:
            yield here


def _part(side: Any, key: Key, name: str) -> Any:
    parts = side if isinstance(side, dict) else keyed(name, side)
    return (parts or {}).get(key)


def _element(name: str, key: tuple[Any, ...]) -> str:
    values = (f'"{value}"' if isinstance(value, str) else str(value) for value in key)
    return f"[{','.join(f'{field}={value}' for field, value in zip(MERGE_KEYS.get(name, ()), values, strict=False))}]"


def _owner(entry: Object) -> str:
    manager = f'"{entry.get("manager")}"'
    if entry.get("operation") == "Apply":
        return manager
    moment = f" at {entry['time']}" if entry.get("time") else ""
    return f"{manager} using {entry.get('apiVersion')}{moment}"
