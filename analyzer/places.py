"""Who has a place, and who waits for one: the queue as it is stored in the Canaries, and the one who asks for a place.

What is stored is all that is known: who is in flight, since when each that waits has done so, when each last began. So
a new leader goes on where the one before it ended. Limits are read whenever somebody asks, and hold from then on.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from threading import RLock
from typing import Any

from analyzer import policy
from analyzer.agenda import Key
from analyzer.cluster import Cluster
from analyzer.queue import CLUSTER, EARLIEST, MARK, Limit, Rollout, annotated, turns
from analyzer.spec import target_of
from analyzer.status import Phase, from_object

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
    policy: str | None = None

    @property
    def matters(self) -> bool:
        """Whether others may have to wait for it, or it for others."""
        return self.flying or self.queued is not None


class Places:
    """Gives away places; safe between threads. `touch` puts an application, or QUEUE, on the agenda."""

    def __init__(self, cluster: Cluster, touch: Callable[[Key], None], most: int = 0) -> None:
        self._cluster = cluster
        self._touch = touch
        self._most = most
        self._lock = RLock()
        self._claims: dict[Key, Rollout] = {}
        self._unable: set[Key] = set()
        self._read: dict[Key, tuple[Object, Standing]] = {}
        self._known: dict[Key, Standing] = {}

    @contextmanager
    def attended(self, key: Key) -> Iterator[Turn]:
        """While an application is worked on. What is yielded asks for a place for it, which has waited since then.

        The answer is why it has to wait, or ""; then it has the place until the work is done, and after that if it is
        stored to be in flight. Whoever fails at that is passed over until he asks again.
        """
        try:
            yield partial(self._ask, key)
        except Exception:
            with self._lock:
                self._unable.add(key)
            self._touch(QUEUE)
            raise
        finally:
            with self._lock:
                claimed = self._claims.pop(key, None)
            self._note(key, news=claimed is not None)

    def settle(self, key: Key) -> None:
        """The duty of whoever attends to QUEUE: those are looked at whose turn, or place, is another than they know."""
        if key != QUEUE:
            return
        with self._lock:
            standings = {each.key: each for each in self._standings()}
            answers = turns(*self._line(standings.values()))
        for waiting, answer in answers.items():
            if standings[waiting].told != answer:
                self._touch(waiting)

    def _ask(self, key: Key, since: datetime) -> str:
        """Whoever is in flight, and wants to begin anew, waits like one who has just come."""
        with self._lock:
            self._unable.discard(key)
            asking = self._rollout(self._now(key), since)
            if not asking.limits:
                return ""
            others = (each for each in self._standings() if each.key != key)
            waiting, running, began = self._line(others)
            answer = turns([*waiting, asking], running, began)[key]
            if not answer:
                self._claims[key] = asking
            return answer

    def _note(self, key: Key, *, news: bool) -> None:
        now = self._now(key)
        before = self._known.pop(key, Standing(key))
        if now.matters:
            self._known[key] = now
        if news or ((before.matters or now.matters) and now != before):
            self._touch(QUEUE)

    def _line(self, standings: Iterable[Standing]) -> tuple[list[Rollout], list[Rollout], dict[str, datetime]]:
        """Who waits, who is in flight, and when each namespace last began a rollout. The lock is held."""
        waiting: list[Rollout] = []
        running = dict(self._claims)
        began: dict[str, datetime] = {}
        for each in standings:
            namespace = each.key[0]
            if each.began:
                began[namespace] = max(each.began, began.get(namespace, each.began))
            if each.flying:
                running[each.key] = self._rollout(each)
            elif each.queued and each.key not in self._unable and each.key not in running:
                waiting.append(self._rollout(each, each.queued))
        return waiting, list(running.values()), began

    def _now(self, key: Key) -> Standing:
        canary = self._cluster.canary_for(key)
        return _standing(canary) if canary else Standing(key)

    def _standings(self) -> Iterator[Standing]:
        """Of every Canary that is Detour's. The lock is held."""
        known, self._read = self._read, {}
        for canary in self._cluster.canaries.all():
            if self._cluster.flagger.leaves(canary):
                name = canary["metadata"]["namespace"], canary["metadata"]["name"]
                before = known.get(name)
                found = before if before and before[0] is canary else (canary, _standing(canary))
                self._read[name] = found
                yield found[1]

    def _rollout(self, standing: Standing, since: datetime = EARLIEST) -> Rollout:
        namespace = standing.key[0]
        stated = (self._of_namespace(namespace), self._of_policy(standing.policy), self._of_cluster())
        return Rollout(standing.key, since, tuple(limit for limit in stated if limit))

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


def _standing(canary: Object) -> Standing:
    """One whose status somebody has made unreadable must not keep the others from their turn."""
    key = canary["metadata"]["namespace"], target_of(canary)
    try:
        status = from_object(canary)
    except (AttributeError, KeyError, TypeError, ValueError):
        return Standing(key)
    waits = status.phase is Phase.WAITING and status.problem.startswith(MARK)
    return Standing(
        key=key,
        flying=status.phase.in_flight,
        queued=status.queued if waits else None,
        told=status.problem,
        began=status.started,
        policy=canary["metadata"]["labels"][policy.BY_POLICY] if policy.is_by_policy(canary) else None,
    )
