"""Which replica leads: a Lease, taken, renewed, and given back on an ordinary stop.

Other replicas' clocks are not believed: a lease counts as expired when its holder has not renewed it for
`SECONDS` of *our* clock since we last saw it change. A container that was restarted finds its own name in the
lease and goes on at once. https://kubernetes.io/docs/concepts/architecture/leases/
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from analyzer.kube.client import Client
from analyzer.kube.errors import ApiError, Conflict, NotFound, Unreachable
from analyzer.kube.resources import LEASES

SECONDS = 12
RENEW_EVERY = 3.0
NAME = "detour-analyzer"

log = logging.getLogger(__name__)


class Lease:
    """Campaigns for the lease of `namespace` as `identity` (the pod's name)."""

    def __init__(
        self, client: Client, namespace: str, identity: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._namespace = namespace
        self._identity = identity
        self._clock = clock
        self._seen: tuple[str, float] = ("", clock())
        self._stop = threading.Event()

    def hold(self, on_lost: Callable[[], None]) -> None:
        """Return when we lead. From then on the lease is renewed in a thread; `on_lost` is called if that fails."""
        while not self._try() and not self._stop.wait(RENEW_EVERY / 3):
            pass
        log.info("leading as %s", self._identity)
        threading.Thread(target=self._renew, args=(on_lost,), name="lease", daemon=True).start()

    def release(self) -> None:
        """Give the lease back, so that the next replica need not wait for it to expire."""
        self._stop.set()
        try:
            lease = self._client.get(LEASES, self._namespace, NAME)
            if lease["spec"].get("holderIdentity") == self._identity:
                lease["spec"]["holderIdentity"] = ""
                self._client.replace(LEASES, lease)
        except (ApiError, Unreachable) as error:
            log.warning("the lease could not be given back: %s", error)

    def _renew(self, on_lost: Callable[[], None]) -> None:
        renewed = self._clock()
        while not self._stop.wait(RENEW_EVERY):
            if self._try():
                renewed = self._clock()
            elif self._clock() - renewed > SECONDS * 2 / 3:
                log.error("the lease could not be renewed for %.0f s", self._clock() - renewed)
                on_lost()
                return

    def _try(self) -> bool:
        try:
            lease = self._client.get(LEASES, self._namespace, NAME)
            if not self._may_take(lease):
                return False
            lease["spec"] = self._spec(lease["spec"])
            self._client.replace(LEASES, lease)
        except NotFound:
            return self._create()
        except Conflict:
            return False
        except (ApiError, Unreachable) as error:
            log.warning("the lease could not be read or written: %s", error)
            return False
        return True

    def _may_take(self, lease: dict[str, Any]) -> bool:
        holder = lease["spec"].get("holderIdentity")
        version = lease["metadata"]["resourceVersion"]
        if version != self._seen[0]:
            self._seen = (version, self._clock())
        return holder in (None, "", self._identity) or self._clock() - self._seen[1] > SECONDS

    def _create(self) -> bool:
        metadata = {"name": NAME, "namespace": self._namespace}
        try:
            self._client.create(
                LEASES,
                {"apiVersion": LEASES.api_version, "kind": LEASES.kind, "metadata": metadata, "spec": self._spec({})},
            )
        except (ApiError, Unreachable) as error:
            log.warning("the lease could not be made: %s", error)
            return False
        return True

    def _spec(self, before: dict[str, Any]) -> dict[str, Any]:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        taken = before.get("holderIdentity") != self._identity
        return {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": SECONDS,
            "renewTime": now,
            "acquireTime": now if taken else before.get("acquireTime", now),
            "leaseTransitions": int(before.get("leaseTransitions", 0)) + (1 if taken else 0),
        }
