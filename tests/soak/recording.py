"""Everything that was ever stored of one application: Deployments, canary Ingresses and Canaries, version by version.

All of it comes from watches, so that nothing between two looks is missed. Resource versions are etcd's revisions: over
all kinds together they give the order in which the API server stored things (the sandbox has one etcd).
"""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from analyzer.kube.client import Client
from analyzer.kube.errors import ApiError, Unreachable
from analyzer.kube.resources import CANARIES, DEPLOYMENTS, INGRESSES, Resource
from tests.cluster.kubectl import KUBECONFIG, eventually

Object = Mapping[str, Any]

FOLLOWED = (DEPLOYMENTS, INGRESSES, CANARIES)
LONGEST = 1800  # seconds that a watch lasts


@dataclass(frozen=True, slots=True)
class Version:
    """One object as it was stored once; `gone` if that was its end. `heard` is Unix time."""

    at: int
    kind: str
    name: str
    object: Object
    gone: bool
    heard: float


class Recording:
    """What became of one namespace's objects since the recording began, which holds what was there then, too."""

    def __init__(self, namespace: str, client: Client) -> None:
        self._query = {"fieldSelector": f"metadata.namespace={namespace}"}
        self._client = client
        self._versions: list[Version] = []
        self._lock = threading.Lock()
        self._over = threading.Event()
        self.broken = ""

    @property
    def phase(self) -> str:
        """The Canary's, as last heard of."""
        with self._lock:
            found = next((version for version in reversed(self._versions) if version.kind == "Canary"), None)
        return str(found.object.get("status", {}).get("phase", "")) if found else ""

    def versions(self) -> list[Version]:
        """All of them so far, in the order in which they were stored. Raises AssertionError where some were missed."""
        assert not self.broken, self.broken
        with self._lock:
            return sorted(self._versions, key=lambda version: version.at)

    def complete(self) -> list[Version]:
        """As `versions`, with everything that is stored by now."""
        eventually(lambda: not self._behind() or self.broken, "the recording is complete", 30, self._behind)
        return self.versions()

    def start(self) -> None:
        """Begin; every kind in a thread of its own, which ends with the first change after `stop`."""
        for resource in FOLLOWED:
            listed = self._client.list_for_watch(resource, self._query)
            for item in listed["items"]:
                self._keep(resource, item, gone=False)
            version = str(listed["metadata"]["resourceVersion"])
            threading.Thread(target=self._follow, args=(resource, version), daemon=True).start()

    def stop(self) -> None:
        """What happens from now on is of no interest: the namespace may go."""
        self._over.set()

    def _follow(self, resource: Resource, version: str) -> None:
        while not self._over.is_set():
            try:
                for event in self._client.watch(resource, {**self._query, "resourceVersion": version}, LONGEST):
                    if self._over.is_set():
                        return
                    if event["type"] == "ERROR":
                        self.broken = f"the watch of {resource.plural} has missed something: {event['object']}"
                        return
                    version = event["object"]["metadata"]["resourceVersion"]
                    if event["type"] != "BOOKMARK":
                        self._keep(resource, event["object"], gone=event["type"] == "DELETED")
            except Unreachable:
                time.sleep(0.5)  # it goes on where it was
            except ApiError as error:
                self.broken = f"the watch of {resource.plural} has ended: {error}"
                return

    def _keep(self, resource: Resource, found: Object, *, gone: bool) -> None:
        metadata = found["metadata"]
        version = Version(int(metadata["resourceVersion"]), resource.kind, metadata["name"], found, gone, time.time())
        with self._lock:
            self._versions.append(version)

    def _behind(self) -> list[str]:
        """What is stored and has not been heard of."""
        with self._lock:
            heard = {version.at for version in self._versions}
        return [
            f"{resource.plural}/{item['metadata']['name']}"
            for resource in FOLLOWED
            for item in self._client.list_for_watch(resource, self._query)["items"]
            if int(item["metadata"]["resourceVersion"]) not in heard
        ]


@contextmanager
def recording(namespace: str) -> Iterator[Recording]:
    """Records in the `with` block."""
    found = Recording(namespace, Client.connect(str(KUBECONFIG)))
    found.start()
    try:
        yield found
    finally:
        found.stop()
