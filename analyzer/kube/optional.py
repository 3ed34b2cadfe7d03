"""A kind that a cluster may not have: followed from when its definition is there until that goes.

To a watch of it a cluster without it would say 404, again and again. So what is followed is the definition, by one
request that lasts; it tells when the kind comes, however late.
"""

import threading
from typing import Any

from analyzer.kube.client import Client
from analyzer.kube.resources import DEFINITIONS, Resource
from analyzer.kube.watch import OnChange, Watch

Object = dict[str, Any]


class OptionalWatch:
    """As a `Watch`; empty, and as good as listed, while the cluster does not know the kind."""

    def __init__(self, client: Client, resource: Resource, on_change: OnChange) -> None:
        self.resource = resource
        self._client = client
        self._on_change = on_change
        self._lock = threading.Lock()
        self._watch: Watch | None = None
        self._name = f"{resource.plural}.{resource.group}"
        only = f"metadata.name={self._name}"
        self._definition = Watch(client, DEFINITIONS, self._told, field_selector=only, metadata_only=True)

    @property
    def synced(self) -> bool:
        """Whether it is known what there is: nothing where its version is not served, or nobody may list it."""
        watch, there = self._watch, self._definition.get("", self._name) is not None
        heard = watch is None or watch.synced or watch.refused
        return self._definition.synced and there == (watch is not None) and heard

    @property
    def is_known(self) -> bool:
        """Whether the cluster has the kind."""
        return self._watch is not None

    def get(self, namespace: str, name: str) -> Object | None:
        """The object as last heard of. It is shared: never change it."""
        return self._watch.get(namespace, name) if self._watch else None

    def in_namespace(self, namespace: str) -> tuple[Object, ...]:
        """All the objects of a namespace."""
        return self._watch.in_namespace(namespace) if self._watch else ()

    def all(self) -> tuple[Object, ...]:
        """All objects."""
        return self._watch.all() if self._watch else ()

    def learn(self, found: Object) -> None:
        """Take in an answer to our own write."""
        if self._watch:
            self._watch.learn(found)

    def start(self) -> None:
        """Begin to follow."""
        self._definition.start()

    def stop(self) -> None:
        """End after the event at hand."""
        self._definition.stop()
        if self._watch:
            self._watch.stop()

    def _told(self, _: Object) -> None:
        """The definition came, changed or went: its watch says which, since it has taken that in before it tells."""
        with self._lock:
            there = self._definition.get("", self._name) is not None
            if there == self.is_known:
                return
            if self._watch:
                gone, self._watch = self._watch, None
                gone.stop()
            else:
                self._watch = Watch(self._client, self.resource, self._on_change)
                self._watch.start()
