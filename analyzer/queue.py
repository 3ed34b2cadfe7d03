"""The queue for a place: how many rollouts may be in flight, and whose turn it is when there is room for one more.

Flagger has no such limit: a ConfigMap that many applications share starts all their canaries at once (its issue 1069).
A place goes to the namespace with the fewest rollouts in flight; of equals, to the one that has waited longest since it
last began one. So a hundred of one team do not hold up another's one, and nobody is overtaken for ever: who waits keeps
his time, and whoever is served, or comes later, has a later one.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any

from analyzer.wording import printable

Key = tuple[str, str]

MARK = "queued"
"""How every reason of the queue begins: what bears one waits for nothing but its turn."""
CLUSTER = "the cluster"
AT_ONCE = "detour.dev/rollouts-at-once"  # annotation of a Namespace; on Detour's own it is about the cluster
EARLIEST = datetime.min.replace(tzinfo=UTC)
EXACT = 10
_LONGEST = 40  # characters that are quoted
_ABOUT = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many at once in `scope` (CLUSTER, a namespace, a policy); `stated` is where that is said."""

    scope: str
    most: int
    stated: str


@dataclass(frozen=True, slots=True)
class Rollout:
    """A revision in flight, or one that has waited for its turn since `since`. Its limits: the narrowest first."""

    key: Key
    since: datetime = EARLIEST
    limits: tuple[Limit, ...] = ()


def annotated(namespace: Mapping[str, Any] | None, scope: str) -> Limit | None:
    """The limit that a Namespace states. What cannot be read lets nothing begin, and says so to all that wait."""
    text = ((namespace or {}).get("metadata", {}).get("annotations") or {}).get(AT_ONCE)
    if text is None:
        return None
    if re.fullmatch(r"[1-9][0-9]{0,5}", str(text)):
        return Limit(scope, int(text), f"annotation {AT_ONCE}")
    said = printable(str(text))[:_LONGEST]
    return Limit(scope, 0, f"annotation {AT_ONCE} is {said!r}: write 1 or more, or take it away")


def turns(waiting: Iterable[Rollout], running: Iterable[Rollout], began: Mapping[str, datetime]) -> dict[Key, str]:
    """Why each that waits has to go on waiting; "" for those whose turn it is.

    `began` is when a namespace last began a rollout. All that is in flight counts, however it came to be: with those
    that did not have to wait, there may be more than the limit.
    """
    flying = tuple(running)
    used = Counter(limit.scope for each in flying for limit in each.limits)
    behind: Counter[str] = Counter()
    answers: dict[Key, str] = {}
    for each in _fair(waiting, used, Counter(each.key[0] for each in flying), began):
        full = _full(each.limits, used)
        if full is None:
            used.update(limit.scope for limit in each.limits)
            answers[each.key] = ""
        else:
            behind[full.scope] += 1
            answers[each.key] = _reason(behind[full.scope], full)
    return answers


def _fair(
    waiting: Iterable[Rollout], used: Counter[str], flying: Counter[str], began: Mapping[str, datetime]
) -> list[Rollout]:
    """In the order in which places are given.

    What its own namespace or policy has no room for does not count as one that its namespace has in front.
    """
    ranks: Counter[tuple[str, bool]] = Counter()
    ranked = []
    kept_back = cache(lambda limits: (full := _full(limits, used)) is not None and full.scope != CLUSTER)
    for each in sorted(waiting, key=lambda one: (one.since, one.key)):
        namespace = each.key[0]
        line = namespace, kept_back(each.limits)
        rank = ranks[line]
        ranks[line] += 1
        served = began.get(namespace, each.since)
        first = max(each.since, served) if rank == 0 else each.since
        ranked.append(((flying[namespace] + rank, rank > 0, first, each.since, each.key), each))
    return [each for _, each in sorted(ranked, key=lambda one: one[0])]


def _full(limits: Iterable[Limit], used: Counter[str]) -> Limit | None:
    """The narrowest that is reached."""
    return next((limit for limit in limits if used[limit.scope] >= limit.most), None)


@lru_cache(10_000)
def _reason(place: int, limit: Limit) -> str:
    """Far behind no exact place is told: each would have to be written anew whenever one in front begins."""
    exact = place <= EXACT
    where = f"place {place}" if exact else f"behind more than {max(about for about in _ABOUT if about < place)}"
    rollouts = "rollout" if limit.most == 1 else "rollouts"
    return f"{MARK}, {where}: {limit.scope} allows {limit.most} {rollouts} at once ({limit.stated})"
