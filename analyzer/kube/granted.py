"""A kind that may be listed only where the owner of a namespace grants it: followed there, once somebody needs it.

A watch of the whole cluster would be refused, and one for each namespace would cost those that need none. So nothing
is asked until `follow` is called, and nothing again of a namespace that has said no until somebody needs it anew.
"""

import logging
import threading
import time
from typing import Any

from analyzer.kube.access import may
from analyzer.kube.client import Client
from analyzer.kube.resources import Resource
from analyzer.kube.watch import LONGEST_GAP, OnChange, Watch

Object = dict[str, Any]

LONGEST_WAIT = 5.0  # seconds for the first list of a namespace; it comes in behind us if it takes longer
AGAIN = 10.0  # seconds for which a namespace that has said no is not asked again: its applications come together

log = logging.getLogger(__name__)


class GrantedWatch:
    """As a `Watch`; empty outside the namespaces that are followed."""

    def __init__(self, client: Client, resource: Resource, on_change: OnChange, *, selector: str = "") -> None:
        self.resource = resource
        self._client = client
        self._on_change = on_change
        self._selector = selector
        self._lock = threading.Lock()
        self._watches: dict[str, Watch] = {}
        self._refused: dict[str, float] = {}
        self._over = False

    @property
    def synced(self) -> bool:
        """Nobody has to wait for what nobody has asked for yet; `follow` waits for what it begins."""
        return True

    def follow(self, namespace: str) -> bool:
        """Follow the objects of a namespace from now on: False if its owner does not grant that. Raises ApiError,
        Unreachable if nobody can say. One request, and the list, the first time; none while it is followed."""
        if not self.follows(namespace) and not self._has_refused(namespace):
            granted = may(self._client, "watch", self.resource, namespace)
            with self._lock:
                if granted:
                    self._begin(namespace)
                else:
                    self._refused[namespace] = time.monotonic()
        watch = self._watches.get(namespace)
        return watch is not None and _listed(watch)

    def follows(self, namespace: str) -> bool:
        """Whether the objects of a namespace are followed. Asks nothing."""
        return namespace in self._watches

    def get(self, namespace: str, name: str) -> Object | None:
        """The object as last heard of. It is shared: never change it."""
        watch = self._watches.get(namespace)
        return watch.get(namespace, name) if watch else None

    def in_namespace(self, namespace: str) -> tuple[Object, ...]:
        """All the objects of a namespace."""
        watch = self._watches.get(namespace)
        return watch.in_namespace(namespace) if watch else ()

    def all(self) -> tuple[Object, ...]:
        """All objects."""
        with self._lock:
            watches = tuple(self._watches.values())
        return tuple(found for watch in watches for found in watch.all())

    def learn(self, found: Object) -> None:
        """Take in an answer to our own write."""
        if watch := self._watches.get(found["metadata"]["namespace"]):
            watch.learn(found)

    def start(self) -> None:
        """Nothing is followed before somebody needs it."""

    def stop(self) -> None:
        """End after the events at hand."""
        with self._lock:
            self._over, watches = True, tuple(self._watches.values())
        for watch in watches:
            watch.stop()

    def _has_refused(self, namespace: str) -> bool:
        with self._lock:
            return time.monotonic() - self._refused.get(namespace, -AGAIN) < AGAIN

    def _begin(self, namespace: str) -> None:
        """Two who ask at once begin one watch."""
        if namespace in self._watches or self._over:
            return
        self._refused.pop(namespace, None)
        watch = Watch(
            self._client,
            self.resource.within(namespace),
            self._on_change,
            selector=self._selector,
            on_refused=lambda seconds: self._give_up(namespace, seconds),
        )
        self._watches[namespace] = watch
        watch.start()

    def _give_up(self, namespace: str, seconds: float) -> None:
        """An API server that has just come up may refuse what it allows; what is refused for longer was taken away."""
        if seconds < LONGEST_GAP:
            return
        with self._lock:
            watch = self._watches.pop(namespace, None)
            self._refused[namespace] = time.monotonic()
        if watch is None:
            return
        watch.stop()
        log.warning(
            "the %s of namespace %s may no longer be watched: what waits there is not seen until that is granted again",
            self.resource.plural,
            namespace,
        )
        for found in watch.all():
            self._on_change(found)


def _listed(watch: Watch) -> bool:
    deadline = time.monotonic() + LONGEST_WAIT
    while not (watch.synced or watch.refused) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not watch.refused
