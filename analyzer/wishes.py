"""What a person asks of a revision, by an annotation of its Canary: run it again, promote it at once, let it through
the gate that it waits at, give it up.

A person acts on the Canary, under ordinary permissions; only the analyzer acts on Deployments. A policy of the API
server sees to it that `detour.dev/asked-by` names nobody but its writer, and who may promote (manifests/policies).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

ASK = "detour.dev/ask"  # `verb digest token`: the token makes the same wish, wished again, another one
ASKED_BY = "detour.dev/asked-by"
REASON = "detour.dev/reason"

_WISH = re.compile(r"(retry|promote|approve|abort) ([0-9a-f]{64}) (\S{1,63})")


class Verb(StrEnum):
    """What may be asked for."""

    RETRY = "retry"
    PROMOTE = "promote"
    APPROVE = "approve"
    ABORT = "abort"


@dataclass(frozen=True, slots=True)
class Wish:
    """One wish. `text` is how it is written, and tells it from every other; `revision` is a whole digest, so that it
    never lands on the next one.
    """

    text: str
    verb: Verb
    revision: str
    by: str = ""
    reason: str = ""

    @property
    def whose(self) -> str:
        """By whom and why, for events and the history."""
        return f"by {self.by or 'somebody'}" + (f": {self.reason}" if self.reason else "")


def wish_of(canary: Mapping[str, Any]) -> Wish | None:
    """The wish that a Canary bears; None without one, and for one that is not understood."""
    annotations: Mapping[str, str] = canary["metadata"].get("annotations") or {}
    text = annotations.get(ASK, "")
    if not (found := _WISH.fullmatch(text)):
        return None
    return Wish(text, Verb(found[1]), found[2], annotations.get(ASKED_BY, ""), annotations.get(REASON, ""))


def annotations_for(verb: Verb, revision: str, token: str, by: str, reason: str = "") -> dict[str, str | None]:
    """What to merge into a Canary's annotations; a reason that an earlier wish left behind goes."""
    return {ASK: f"{verb} {revision} {token}", ASKED_BY: by, REASON: reason or None}
