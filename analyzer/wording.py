"""Words of others, fit to be shown: what a person, a gate, a policy or the API server says goes into statuses, events,
logs and terminals, and none of these may be told to do anything by it (a terminal obeys an escape sequence, a log
believes a line break).
"""

import re
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

T = TypeVar("T")

_VARIES = re.compile(r"[0-9a-f]*\d[0-9a-f]*", re.IGNORECASE)


def printable(text: str) -> str:
    """`text` as one line: breaks and tabs are spaces, and whatever controls instead of showing is left out."""
    if text.isprintable():
        return text
    return "".join(character for character in " ".join(text.split()) if character.isprintable())


def shown(value: T) -> T:
    """The same value with every text in it printable: dataclasses, mappings and sequences, however deep."""
    found: Any = value
    if type(found) is str:
        found = printable(found)
    elif isinstance(found, dict):
        found = {shown(key): shown(each) for key, each in found.items()}
    elif isinstance(found, list | tuple):
        found = type(found)(shown(each) for each in found)
    elif is_dataclass(found) and not isinstance(found, type):
        before = {field.name: getattr(found, field.name) for field in fields(found)}
        found = replace(found, **{name: clean for name, each in before.items() if (clean := shown(each)) != each})
    cleaned: T = found
    return cleaned


def steady(before: str, now: str) -> str:
    """`before`, if `now` says the same but for what varies by itself: ports, times, identifiers.

    An error that names the port which it came from is another text each time, and still the same problem.
    """
    return before if before and _VARIES.sub("", before) == _VARIES.sub("", now) else now
