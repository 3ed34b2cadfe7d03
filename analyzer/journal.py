"""Events: on the Canary, where Flagger's users look, and milestones on the user's own Deployment, too.

Reason and texts are Flagger's (reason `Synced`). Telling is best effort: a rollout never fails because nobody
could be told.
"""

import logging
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from analyzer.actions import Emit
from analyzer.kube.client import Client
from analyzer.kube.errors import ApiError, Unreachable
from analyzer.kube.resources import CANARIES, DEPLOYMENTS, EVENTS, Resource

REASON = "Synced"
SOURCE = "detour"
LONGEST_MESSAGE = 1024  # bytes, by validation of core/v1 Event

log = logging.getLogger(__name__)


Listener = Callable[[Emit, Mapping[str, Any]], None]
"""Hears of every event on a Canary, and must neither block nor raise."""


def _nobody(_event: Emit, _canary: Mapping[str, Any]) -> None:
    return None


class Journal:
    """Writes events as this replica, and tells a listener."""

    def __init__(self, client: Client, instance: str, listener: Listener = _nobody) -> None:
        self._client = client
        self._instance = instance
        self._listener = listener

    def tell(self, event: Emit, canary: Mapping[str, Any] | None, deployment: Mapping[str, Any] | None) -> None:
        """Emit `event` on what there is of the two."""
        log.log(logging.WARNING if event.warning else logging.INFO, "%s", event.text)
        if canary is not None:
            self._listener(event, canary)
            self._write(event, CANARIES, canary)
        if deployment is not None and event.milestone:
            self._write(event, DEPLOYMENTS, deployment)

    def warn(self, reason: str, text: str, resource: Resource, metadata: Mapping[str, Any]) -> None:
        """Emit a warning on any object, given by the `name`, `namespace` and `uid` of its metadata."""
        self._write(Emit(text, warning=True), resource, {"metadata": metadata}, reason)

    def _write(self, event: Emit, resource: Resource, about: Mapping[str, Any], reason: str = REASON) -> None:
        metadata = about["metadata"]
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        body = {
            "apiVersion": EVENTS.api_version,
            "kind": EVENTS.kind,
            "metadata": {
                "name": f"{metadata['name'][:200]}.{secrets.token_hex(8)}",
                "namespace": metadata["namespace"],
            },
            "involvedObject": {
                "apiVersion": resource.api_version,
                "kind": resource.kind,
                "name": metadata["name"],
                "namespace": metadata["namespace"],
                "uid": metadata["uid"],
            },
            "type": "Warning" if event.warning else "Normal",
            "reason": reason,
            "message": event.text.encode()[:LONGEST_MESSAGE].decode(errors="ignore"),
            "source": {"component": SOURCE},
            "reportingComponent": SOURCE,
            "reportingInstance": self._instance,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        try:
            self._client.create(EVENTS, body)
        except (ApiError, Unreachable) as error:
            ending = "because it is being terminated" in str(error)  # the namespace: nobody is left to be told
            log.log(logging.DEBUG if ending else logging.WARNING, "an event could not be written: %s", error)
