"""Many applications and one analyzer: the real plan, loop and queue, over Canaries that are kept in a dictionary.

What a canary does while it is in flight is left out: it flies until a test lands it.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from analyzer.agenda import Key
from analyzer.places import QUEUE, Places
from analyzer.queue import AT_ONCE
from analyzer.rollouts import Rollouts
from analyzer.seen import Primary, Seen
from analyzer.status import Ending, Outcome, Phase, Status
from analyzer.stored import from_object, to_object
from analyzer.wishes import Wish
from tests.analyzer.things import START, V1, V2

Object = dict[str, Any]

HOME = "detour"


@dataclass
class Crowd:
    """`most` is the flag's limit. `began` are the applications in the order in which they began, `writes` counts
    statuses that were stored, and `highest` is how many were ever in flight at once. `storing` takes so many seconds.
    """

    most: int = 0
    stored: dict[Key, Object] = field(default_factory=dict)
    primaries: dict[Key, Primary] = field(default_factory=dict)
    wishes: dict[Key, Wish] = field(default_factory=dict)
    notes: dict[str, dict[str, str]] = field(default_factory=dict)
    limits_of_policies: dict[str, int] = field(default_factory=dict)
    direct: str = ""
    now: datetime = START
    due: list[Key] = field(default_factory=list)
    began: list[Key] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    writes: int = 0
    highest: int = 0
    failing: set[Key] = field(default_factory=set)
    storing: float = 0.0

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Another process leads, and looks at everything once."""
        cluster: Any = SimpleNamespace(
            canaries=SimpleNamespace(all=lambda: tuple(self.stored.values()), get=self._get, learn=self._learn),
            client=SimpleNamespace(replace_status=self._replace),
            namespaces=SimpleNamespace(get=self._namespace),
            policies=SimpleNamespace(get=self._policy),
            flagger=SimpleNamespace(leaves=lambda _: True),
            home=HOME,
            canary_for=self.stored.get,
            has_parts=lambda _: False,
        )
        idle: Any = SimpleNamespace(reason="", let_go=lambda _: None)
        lookout: Any = SimpleNamespace(look=self._look, forget=lambda _: None)
        performer: Any = SimpleNamespace(perform=self._perform)
        self.places = Places(cluster, self.touch, self.most)
        silent: Any = SimpleNamespace(posted=lambda _key, _canary, status, *_: status)
        self.rollouts = Rollouts(cluster, lookout, performer, idle, idle, silent, self.places, lambda: self.now)
        self.due = list(self.stored)

    def touch(self, key: Key) -> None:
        """On the agenda, once."""
        if key not in self.due:
            self.due.append(key)

    def adopt(self, key: Key, policy: Mapping[str, Any] | None = None) -> None:
        """A Canary, with nothing in flight."""
        spec = {
            "targetRef": {"kind": "Deployment", "name": key[1]},
            "analysis": {"interval": "10s", "threshold": 1, "stepWeight": 50},
        }
        metadata = {"namespace": key[0], "name": key[1], **(policy or {})}
        status = to_object(Status(phase=Phase.INITIALIZED, guarded=True), {}, self.now)
        self.stored[key] = {"metadata": metadata, "spec": spec, "status": status}
        self.primaries[key] = Primary(V1)

    def update(self, *keys: Key) -> None:
        """Their users update them, one by one."""
        for key in keys:
            if key not in self.stored:
                self.adopt(key)
            self.primaries[key] = replace(self.primaries[key], stash=V2)
            self.pass_time()
            self.touch(key)

    def work(self) -> None:
        """Until nothing is left to do."""
        for _ in range(20_000):
            if not self.due:
                return
            self.attend(self.due.pop(0))
        raise AssertionError("it never comes to rest")

    def attend(self, key: Key) -> None:
        """What a worker does for one of the agenda."""
        self.places.settle(key)
        if key != QUEUE:
            self.rollouts.reconcile(key)

    def land(self, key: Key) -> None:
        """Its rollout is over; the analyzer stores that, as it stores everything."""
        status = self.status(key)
        ended = replace(status, ending=Ending(Outcome.SUCCEEDED, "")).end(self.now)
        self.primaries[key] = Primary(V1)
        self._put(key, ended)
        self.touch(key)

    def delete(self, key: Key) -> None:
        """Its Canary goes."""
        del self.stored[key]
        self.touch(key)

    def allow(self, namespace: str, most: int | None) -> None:
        """The annotation of a Namespace changes: all of it is looked at, or everything, if it is Detour's own."""
        self.notes[namespace] = {} if most is None else {AT_ONCE: str(most)}
        for key in self.stored:
            if namespace in (HOME, key[0]):
                self.touch(key)

    def pass_time(self, seconds: float = 1.0) -> None:
        """The clock goes on."""
        self.now += timedelta(seconds=seconds)

    def status(self, key: Key) -> Status:
        """As it is stored; nothing, where that cannot be read."""
        try:
            return from_object(self.stored[key])
        except ValueError:
            return Status()

    @property
    def flying(self) -> list[Key]:
        """What is in flight, the oldest first."""
        flying = [key for key in self.stored if self.status(key).phase.in_flight]
        return sorted(flying, key=lambda key: self.status(key).started or START)

    @property
    def waiting(self) -> list[Key]:
        """What waits."""
        return [key for key in self.stored if self.status(key).phase is Phase.WAITING]

    def _look(self, key: Key, _spec: Any, status: Status) -> Any:
        primary = self.primaries[key]
        shown = primary if primary.stash or status.phase.in_flight else None
        seen = Seen(
            name=key[1],
            namespace=key[0],
            primary=shown,
            target=True,
            labelled=True,
            guarded=True,
            direct=self.direct,
            wish=self.wishes.get(key),
        )
        return SimpleNamespace(seen=seen, key=key, primary=None, waiting=None)

    def _perform(self, action: Any, _view: Any) -> dict[str, Any]:
        if text := getattr(action, "text", ""):
            self.told.append(text)
        return {}

    def _get(self, namespace: str, name: str) -> Object | None:
        return self.stored.get((namespace, name))

    def _namespace(self, _: str, name: str) -> Object:
        return {"metadata": {"name": name, "annotations": self.notes.get(name, {})}}

    def _policy(self, _: str, name: str) -> Object | None:
        most = self.limits_of_policies.get(name)
        return {"metadata": {"name": name}, "spec": {"atOnce": most} if most else {}}

    def _replace(self, _: Any, body: Object) -> Object:
        key = body["metadata"]["namespace"], body["metadata"]["name"]
        time.sleep(self.storing)
        if key in self.failing:
            raise OSError("it cannot be stored")
        return body

    def _learn(self, body: Object) -> None:
        key = body["metadata"]["namespace"], body["metadata"]["name"]
        before, after = self.status(key), from_object(body)
        self._put(key, after)
        self.writes += 1
        if after.phase.in_flight and not before.phase.in_flight:
            self.began.append(key)
        self.highest = max(self.highest, len(self.flying))

    def _put(self, key: Key, status: Status) -> None:
        self.stored[key] = {**self.stored[key], "status": to_object(status, {}, self.now)}


def apps(namespace: str, number: int, first: int = 0) -> list[Key]:
    """So many applications of a namespace."""
    return [(namespace, f"app-{n:03}") for n in range(first, first + number)]


def crowd(most: int, *keys: Key) -> Crowd:
    """One whose applications have all been updated, one after the other."""
    found = Crowd(most)
    found.update(*keys)
    found.work()
    return found
