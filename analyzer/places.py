"""Who has a place, and who waits for one: the queue as it is stored in the Canaries, and the one who asks for a place.

What is stored is all that is known: who is in flight, since when each that waits has done so, when each last began. So
a new leader goes on where the one before it ended. Limits are read whenever somebody asks, and hold from then on.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from threading import RLock
from typing import Any

from analyzer import policy
from analyzer.agenda import Key
from analyzer.cluster import Cluster
from analyzer.queue import CLUSTER, EARLIEST, MARK, Limit, Rollout, annotated, turns
from analyzer.spec import target_of
from analyzer.status import Phase, Status
from analyzer.stored import from_object

Object = Mapping[str, Any]
Turn = Callable[[datetime], str]
"""Asks for a place for what has waited since then: "" for one that is given, or why it has to wait."""

OPTION = "--at-once"
QUEUE: Key = ("", "queue")
"""On the agenda: no application, but the turn of those that wait."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a Canary says of its place: whether it has one, or waits for nothing else, and what it was told."""

    key: Key
    flying: bool = False
    queued: datetime | None = None
    told: str = field(default="", compare=False)
    began: datetime | None = None
    policy: str | None = field(default=None, compare=False)

    @property
    def matters(self) -> bool:
        """Whether others may have to wait for it, or it for others."""
        return self.flying or self.queued is not None


class Places:
    """Gives away places; safe between threads. `touch` puts an application, or QUEUE, on the agenda.

    Made when the watches know all Canaries; after that whatever changes is looked at, and so comes through `attended`.
    """

    def __init__(self, cluster: Cluster, touch: Callable[[Key], None], most: int = 0) -> None:
        self._cluster = cluster
        self._touch = touch
        self._most = most
        self._lock = RLock()
        self._claims: dict[Key, Rollout] = {}
        self._unable: set[Key] = set()
        self._standings: dict[Key, Standing] = {}
        self._began: dict[str, dict[Key, datetime]] = {}
        for canary in cluster.canaries.all():
            self._learn((canary["metadata"]["namespace"], target_of(canary)))

    @contextmanager
    def attended(self, key: Key) -> Iterator[Turn]:
        """While an application is worked on. What is yielded asks for a place for it, which has waited since then.

        The answer is why it has to wait, or ""; then it has the place until the work is done, and after that if it is
        stored to be in flight. Whoever fails at that is passed over until he asks again.
        """
        failed = True
        try:
            yield partial(self._ask, key)
            failed = False
        finally:
            with self._lock:
                if failed:
                    self._unable.add(key)
                changed = self._learn(key)
                claimed = self._claims.pop(key, None)
            if changed or claimed or failed:
                self._touch(QUEUE)

    def settle(self, key: Key) -> None:
        """The duty of whoever attends to QUEUE: those are looked at whose turn, or place, is another than they know."""
        if key != QUEUE:
            return
        with self._lock:
            known = {each.key: each.told for each in self._standings.values()}
            answers = turns(*self._line())
        for waiting, answer in answers.items():
            if known[waiting] != answer:
                self._touch(waiting)

    def _ask(self, key: Key, since: datetime) -> str:
        """Whoever is in flight, and wants to begin anew, waits like one who has just come."""
        with self._lock:
            self._unable.discard(key)
            standing = self._standings.get(key) or Standing(key, policy=_policy_of(self._cluster.canary_for(key)))
            asking = Rollout(key, since, self._limits(key[0], standing.policy))
            if not asking.limits:
                return ""
            waiting, running, began = self._line(but=key)
            answer = turns([*waiting, asking], running, began)[key]
            if not answer:
                self._claims[key] = asking
            return answer

    def _learn(self, key: Key) -> bool:
        """What is stored of an application now, and whether that is another place than before. The lock is held."""
        canary = self._cluster.canary_for(key)
        now = _standing(key, canary) if canary else Standing(key)
        before = self._standings.pop(key, Standing(key))
        served = self._began.setdefault(key[0], {})
        served.pop(key, None)
        if now.began:
            served[key] = now.began
        if now.matters:
            self._standings[key] = now
        else:
            self._unable.discard(key)
        return (before.matters or now.matters) and now != before

    def _line(self, but: Key | None = None) -> tuple[list[Rollout], list[Rollout], dict[str, datetime]]:
        """Who waits, who is in flight, and when each namespace last began a rollout. The lock is held."""
        waiting: list[Rollout] = []
        running = dict(self._claims)
        limits = cache(self._limits)
        for each in self._standings.values():
            if each.key == but:
                continue
            rollout = Rollout(each.key, each.queued or EARLIEST, limits(each.key[0], each.policy))
            if each.flying:
                running[each.key] = rollout
            elif each.key not in self._unable and each.key not in running:
                waiting.append(rollout)
        began = {each.key[0]: self._began[each.key[0]].values() for each in waiting}
        return waiting, list(running.values()), {name: max(served) for name, served in began.items() if served}

    def _limits(self, namespace: str, policy_name: str | None) -> tuple[Limit, ...]:
        stated = (self._of_namespace(namespace), self._of_policy(policy_name), self._of_cluster())
        return tuple(limit for limit in stated if limit)

    def _of_namespace(self, name: str) -> Limit | None:
        if name == self._cluster.home:
            return None
        return annotated(self._cluster.namespaces.get("", name), f"namespace {name}")

    def _of_policy(self, name: str | None) -> Limit | None:
        found = self._cluster.policies.get("", name) if name else None
        most = found["spec"].get(policy.AT_ONCE) if found else None
        return Limit(f"CanaryPolicy {name}", most, f"its {policy.AT_ONCE}") if most else None

    def _of_cluster(self) -> Limit | None:
        """What stands on Detour's own Namespace can be changed at any time, and counts rather than the flag."""
        stated = annotated(self._cluster.namespaces.get("", self._cluster.home), CLUSTER)
        return stated or (Limit(CLUSTER, self._most, OPTION) if self._most else None)


def is_queued(status: Status) -> bool:
    """Whether it waits for its turn, and for nothing else."""
    return status.phase is Phase.WAITING and status.queued is not None and status.problem.startswith(MARK)


def _standing(key: Key, canary: Object) -> Standing:
    """One whose status somebody has made unreadable must not keep the others from their turn."""
    try:
        status = from_object(canary)
    except (AttributeError, KeyError, TypeError, ValueError):
        return Standing(key)
    return Standing(
        key=key,
        flying=status.phase.in_flight,
        queued=status.queued if is_queued(status) else None,
        told=status.problem,
        began=status.started,
        policy=_policy_of(canary),
    )


def _policy_of(canary: Object | None) -> str | None:
    return canary["metadata"]["labels"][policy.BY_POLICY] if canary and policy.is_by_policy(canary) else None
