"""Which replica leads: a Lease, taken, renewed, and given back on an ordinary stop.

Other replicas' clocks are not believed: a lease counts as expired when its holder has not renewed it for as long as it
lasts, by *our* clock, since we last saw it change. A container that was restarted finds its own name in the lease and
goes on at once. https://kubernetes.io/docs/concepts/architecture/leases/
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from analyzer.kube.client import Client
from analyzer.kube.errors import ApiError, Conflict, NotFound, Unreachable
from analyzer.kube.resources import LEADERS, LEASES
from analyzer.kube.vigil import Vigil

SECONDS = 12
RENEW_EVERY = 3.0
SHORTEST, LONGEST = 3, 600  # seconds; below, a busy API server would have it change hands
LOOK_EVERY = 0.5
ASK_AGAIN = 1.0  # seconds between two tries to take it
NAME = "detour-analyzer"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a lease lasts when nobody renews it, and how often its holder does, in seconds."""

    seconds: int = SECONDS
    renew_every: float = RENEW_EVERY

    def __post_init__(self) -> None:
        """Raises ValueError for what would let two lead at once, or the lease change hands for one slow answer."""
        if not SHORTEST <= self.seconds <= LONGEST:
            raise ValueError(f"a lease of {self.seconds} s: let it last from {SHORTEST} to {LONGEST}")
        if not 0 < self.renew_every <= self.given_up_after / 2:
            most = f"{self.given_up_after / 2:g}"
            raise ValueError(f"{self.renew_every:g} s between renewals: at most a third of the lease, which is {most}")

    @property
    def given_up_after(self) -> float:
        """Seconds without a renewal after which its holder ends, so that it has ended when another takes over."""
        return self.seconds * 2 / 3


GIVEN_UP_AFTER = Timing().given_up_after


class Lease:
    """Campaigns for the lease of `namespace` as `identity` (the pod's name)."""

    def __init__(
        self,
        client: Client,
        namespace: str,
        identity: str,
        clock: Callable[[], float] = time.monotonic,
        timing: Timing = Timing(),
    ) -> None:
        self._client = client
        self._namespace = namespace
        self._identity = identity
        self._clock = clock
        self._timing = timing
        self._seen: tuple[str, float] = ("", clock())
        self._renewed = clock()
        self._leads = False
        self._term = 0
        self._lost = False
        self._stop = threading.Event()

    def hold(self, on_lost: Callable[[], None]) -> bool:
        """Return when we lead; False if we were to `release` it before we did.

        From then on the lease is renewed in a thread; `on_lost` is called if that fails. A renewal may hang for longer
        than the lease lasts, so another thread looks at the clock.
        """
        vigil = Vigil(self._client, self._namespace, NAME, self._may_take, self._timing.given_up_after)
        while not self._stop.is_set():
            if self._try() and self._announce():
                vigil.end()
                self._lead(on_lost)
                return True
            self._stop.wait(ASK_AGAIN)
            vigil.wait()
        return False

    def _lead(self, on_lost: Callable[[], None]) -> None:
        log.info("leading as %s", self._identity)
        self._leads = True
        threading.Thread(target=self._renew, name="lease", daemon=True).start()
        threading.Thread(target=self._watch, args=(on_lost,), name="lease-watch", daemon=True).start()

    def retire(self) -> None:
        """Renew it no more, and go on: where Detour is being deleted, the Lease goes as well, and nobody else comes."""
        self._stop.set()

    def release(self) -> None:
        """Give the lease back, so that the next replica need not wait for it to expire."""
        self._stop.set()
        try:
            lease = self._client.get(LEASES, self._namespace, NAME)
            if (lease.get("spec") or {}).get("holderIdentity") == self._identity:
                lease["spec"]["holderIdentity"] = ""
                self._client.replace(LEASES, lease)
        except (ApiError, Unreachable) as error:
            log.warning("the lease could not be given back: %s", error)

    def _renew(self) -> None:
        while not self._stop.wait(self._timing.renew_every):
            self._try()

    def _watch(self, on_lost: Callable[[], None]) -> None:
        while not self._stop.wait(LOOK_EVERY):
            if self._lost or (unrenewed := self._clock() - self._renewed) > self._timing.given_up_after:
                why = "another has taken it" if self._lost else f"it could not be renewed for {unrenewed:.0f} s"
                log.error("the lease is lost: %s", why)
                on_lost()
                return

    def _try(self) -> bool:
        begun = self._clock()
        try:
            lease = self._client.get(LEASES, self._namespace, NAME)
            if not (self._is_still_ours(lease) if self._leads else self._may_take(lease)):
                return False
            lease["spec"] = self._spec(lease.get("spec") or {})
            self._client.replace(LEASES, lease)
            self._renewed, self._term = begun, lease["spec"]["leaseTransitions"]
        except NotFound:
            return self._create(begun)
        except Conflict:
            return False
        except (ApiError, Unreachable) as error:
            log.warning("the lease could not be read or written: %s", error)
            return False
        return True

    def _announce(self) -> bool:
        """Whether the API server knows that we lead: it takes writes from the Leader alone (manifests/policies).

        The Leader is read before the lease is renewed once more. So whoever was paused on the way, and has lost the
        lease since, meets what its successor has written.
        """
        try:
            leader = self._leader()
            if leader["spec"].get("holder") == self._identity:
                return True
            if not self._try():
                return False
            leader["spec"]["holder"] = self._identity
            write = self._client.replace if "resourceVersion" in leader["metadata"] else self._client.create
            write(LEADERS, leader)
        except NotFound:
            log.warning("the definition of Leader is not installed: nothing but the lease keeps replicas apart")
        except (ApiError, Unreachable) as error:
            log.warning("the API server could not be told who leads: %s", error)
            return False
        return True

    def _leader(self) -> dict[str, Any]:
        try:
            return self._client.get(LEADERS, self._namespace, NAME)
        except NotFound:
            metadata = {"name": NAME, "namespace": self._namespace}
            return {"apiVersion": LEADERS.api_version, "kind": LEADERS.kind, "metadata": metadata, "spec": {}}

    def _may_take(self, lease: dict[str, Any]) -> bool:
        """Free, or expired: by the time that its holder has stated, who may have been started with another."""
        spec = lease.get("spec") or {}
        holder, lasts = spec.get("holderIdentity"), spec.get("leaseDurationSeconds") or self._timing.seconds
        version = lease["metadata"]["resourceVersion"]
        if version != self._seen[0]:
            self._seen = (version, self._clock())
        return holder in (None, "", self._identity) or self._clock() - self._seen[1] > min(lasts, LONGEST)

    def _is_still_ours(self, lease: dict[str, Any]) -> bool:
        """A leader that finds that another has led since (it was paused) never takes the lease again.

        Even where that one has given it back: what it has told the API server meanwhile stays (`_announce`).
        """
        spec = lease.get("spec") or {}
        self._lost = (spec.get("holderIdentity"), spec.get("leaseTransitions")) != (self._identity, self._term)
        return not self._lost

    def _create(self, begun: float) -> bool:
        metadata = {"name": NAME, "namespace": self._namespace}
        spec = self._spec({})
        try:
            self._client.create(
                LEASES, {"apiVersion": LEASES.api_version, "kind": LEASES.kind, "metadata": metadata, "spec": spec}
            )
        except (ApiError, Unreachable) as error:
            log.warning("the lease could not be made: %s", error)
            return False
        self._renewed, self._term = begun, spec["leaseTransitions"]
        return True

    def _spec(self, before: dict[str, Any]) -> dict[str, Any]:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        taken = before.get("holderIdentity") != self._identity
        return {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": self._timing.seconds,
            "renewTime": now,
            "acquireTime": now if taken else before.get("acquireTime", now),
            "leaseTransitions": int(before.get("leaseTransitions", 0)) + (1 if taken else 0),
        }
