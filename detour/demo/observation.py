"""Watching the cluster from outside, as a sceptic would: what the primary runs is taken from itself and its pods."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from analyzer.kube.client import Client
from analyzer.kube.errors import ApiError, Unreachable
from analyzer.kube.resources import CANARIES, DEPLOYMENTS, EVENTS, Resource
from analyzer.kube.watch import Watch
from analyzer.memory import unpacked
from detour.demo.record import CANARY, NAME, Moment, Record
from webhook.revision import digest

Object = dict[str, Any]

PODS = Resource("", "v1", "pods", "Pod")
NAMESPACE = "detour-demo"
PASSED = ("Promoting", "Finalising", "Succeeded")
TRIES, BETWEEN = 5, 0.5  # of asking for the Canary, and seconds in between


@dataclass(frozen=True, slots=True)
class Now:
    """How things stand, for a person to see."""

    phase: str
    weight: int
    canary_version: str
    event: str
    primary: Moment | None


class Observer:
    """Follows the namespace of the demo in threads of its own, until it is stopped."""

    def __init__(self, client: Client, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._lock = threading.Lock()
        self._record = Record()
        self._proven: set[str] = set()
        self._stopped = False
        self._deployments = self._watch(DEPLOYMENTS, self._on_deployment)
        self._pods = self._watch(PODS, self._on_pod)
        others = (self._watch(CANARIES, self._on_canary), self._watch(EVENTS, self._on_event))
        self._watches = (self._pods, *others, self._deployments)

    def start(self, deadline: float = 15.0) -> None:
        """Return when every watch has its first list, the Deployments last. Raises TimeoutError."""
        until = self._clock() + deadline
        for watch in self._watches:
            watch.start()
            while not watch.synced:
                if self._clock() > until:
                    raise TimeoutError(f"the watch of {watch.resource.plural} did not begin within {deadline:.0f} s")
                time.sleep(0.02)

    def stop(self) -> Record:
        """Everything that was seen; what changes from now on is not."""
        with self._lock:
            self._stopped = True
        for watch in self._watches:
            watch.stop()
        return self._record

    def now(self) -> Now:
        """As last heard."""
        with self._lock:
            seen = self._record
            primary = seen.moments[-1] if seen.moments else None
            return Now(seen.phase, seen.weight, seen.canary_version, seen.event, primary)

    def endings(self) -> tuple[Mapping[str, Any], ...]:
        """The Canary's own account of what came to an end, oldest first."""
        with self._lock:
            return self._record.endings

    def _watch(self, resource: Resource, on_change: Callable[[Object], None]) -> Watch:
        def told(found: Object) -> None:
            if not self._stopped:
                on_change(found)

        return Watch(self._client, resource, told, field_selector=f"metadata.namespace={NAMESPACE}")

    def _on_deployment(self, found: Object) -> None:
        now, name = self._clock(), found["metadata"]["name"]
        if name == NAME:
            proven = self._passed(digest(found["spec"]["template"]))
            with self._lock:
                self._record.on_primary(found, proven, now)
        elif name == CANARY:
            with self._lock:
                self._record.on_canary_deployment(self._deployments.get(NAMESPACE, name), now)

    def _passed(self, template: str) -> bool:
        """Whether the primary may run the template with this digest.

        The first one came with the Deployment. For any other the Canary is asked *after* the template was seen: that
        it passed is stored before the primary is switched, so there is no race to allow for.
        """
        if not self._proven or template in self._proven or self._canary_says_passed(template):
            self._proven.add(template)
        return template in self._proven

    def _canary_says_passed(self, template: str) -> bool:
        for _ in range(TRIES):
            try:
                status = unpacked(self._client.get(CANARIES, NAMESPACE, NAME).get("status") or {})
                return status.get("revision") == template and status.get("phase") in PASSED
            except (ApiError, Unreachable):
                time.sleep(BETWEEN)
        return False

    def _on_pod(self, found: Object) -> None:
        gone = self._pods.get(NAMESPACE, found["metadata"]["name"]) is None
        with self._lock:
            self._record.on_pod(found, gone, self._clock())

    def _on_canary(self, found: Object) -> None:
        if found["metadata"]["name"] == NAME:
            with self._lock:
                self._record.on_canary(found, self._clock())

    def _on_event(self, found: Object) -> None:
        if (found.get("source") or {}).get("component") == "detour":
            with self._lock:
                self._record.event = found["message"]
