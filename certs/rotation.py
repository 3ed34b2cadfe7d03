"""Keeps the CA, the caBundle and this replica's serving certificate right, together with the other replicas.

Every replica runs the same steps. All that they share is one Secret and one caBundle, each round changes at most one
of them and starts from what is stored: so a crash after any write, and two replicas at once, need no case of their own.
No leader is needed for it, and so no lease has to be had before an expiring certificate can be renewed: what was read
is a condition of every write, so that each change happens once, and nothing is accepted of a process that slept.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from certs import authority, directory
from certs.authority import Pair
from certs.errors import Unsettled, Untrusted
from certs.material import Material, advance, decode, encode, in_place, next_change
from certs.orders import NO_ORDERS, Orders

ROUNDS = 12
"""Writes within one call; seven is the most that the longest absence needs, the rest is for other replicas."""
PATROL = timedelta(hours=1)
"""The longest time between two looks, for the case that a watch has missed a change of the caBundle."""
ABSENT = timedelta(seconds=10)
"""When to look again while there is no webhook configuration to put the caBundle into."""

log = logging.getLogger(__name__)


class Conflict(Exception):
    """Raised by a `Store`: what was to be replaced is no longer what was read, or exists already."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The CA's Secret as read: its data, unencoded, its resourceVersion, and what its annotations order."""

    data: Mapping[str, bytes] = field(repr=False)
    version: str
    orders: Orders = NO_ORDERS


@dataclass(frozen=True, slots=True)
class Bundles:
    """The caBundle of each webhook of the configuration, b"" where it has none, and the resourceVersion."""

    pems: tuple[bytes, ...]
    version: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand when everything is right."""

    wait: timedelta
    """How long until the next look, if the caBundle, the Secret or a mounted file does not change before."""
    ca_expires: datetime | None = None
    serving_expires: datetime | None = None


class Store(Protocol):
    """Where the replicas meet. Errors of the cluster pass through `Rotation` as they are."""

    def time(self) -> datetime:
        """What time it is for the API servers: it is they who judge, and a wrong clock of ours does no harm."""

    def read_ca(self) -> Stored | None:
        """The CA's Secret; None if there is none."""

    def write_ca(self, data: Mapping[str, bytes], version: str | None) -> None:
        """Replace all data of the Secret of this resourceVersion (None: create it). Raises `Conflict`."""

    def read_ca_bundles(self) -> Bundles | None:
        """What the API servers trust; None if there is no configuration."""

    def write_ca_bundle(self, pem: bytes, read: Bundles) -> None:
        """Make this the caBundle of every webhook of the configuration that was read. Raises `Conflict`."""


class Rotation:
    """Certificates of the webhook that is reached as Service `service` in `namespace`, served from `target`."""

    def __init__(self, store: Store, target: Path, service: str, namespace: str) -> None:
        self._store = store
        self._directory = target
        self._names = (f"{service}.{namespace}.svc", f"{service}.{namespace}.svc.cluster.local")

    def ensure(self) -> Standing:
        """Make everything right, and say how it stands.

        A certificate is served only after the caBundle is in place, so that a webhook that has one can be called;
        without a configuration there is nothing to be right yet.
        Raises `UnreadableCA`, `Unwritable`, `Unsettled`, and whatever the store raises but `Conflict`.
        """
        for _ in range(ROUNDS):
            # The bundle first: it is always written after the CA, so the CA read next is never older than it.
            live = self._store.read_ca_bundles()
            if live is None or not live.pems:
                return Standing(ABSENT)
            stored = self._store.read_ca()
            now = self._store.time()  # after what is read: it is never older than a moment that is stored
            material, orders = (decode(stored.data), stored.orders) if stored else (None, NO_ORDERS)
            wanted = advance(material, live.pems, now, orders)
            try:
                if wanted != material:
                    self._store.write_ca(encode(wanted), stored.version if stored else None)
                    log.info("the webhook's CA: %s", _change(material, wanted))
                    continue
                if not in_place(wanted, live.pems):
                    self._store.write_ca_bundle(wanted.bundle, live)
                    log.info("the webhook's caBundle was put in place")
                    continue
            except Conflict:
                log.info("another replica was first to change the webhook's CA or caBundle: reading it again")
                continue
            return self._standing(wanted, now, orders)
        raise Unsettled(
            "the webhook's CA or caBundle is changed by somebody else as fast as it is put right: see who, with "
            "kubectl get mutatingwebhookconfigurations,secrets -A --show-managed-fields -o yaml, and stop it"
        )

    def _standing(self, material: Material, now: datetime, orders: Orders) -> Standing:
        pair = self._serve(material, now, orders)
        due = [authority.renew_at(pair.certificate, orders.renew_serving), next_change(material, orders)]
        if not authority.signed(pair.certificate, material.signing.certificate):
            due.append(_settled_at(material, orders))
        expires = authority.expires_at(material.signing.certificate), authority.expires_at(pair.certificate)
        return Standing(min(PATROL, max(timedelta(0), min(due) - now)), *expires)

    def _serve(self, material: Material, now: datetime, orders: Orders) -> Pair:
        """This replica's pair, issued anew when it is due, broken, or by a CA that signs no longer."""
        pair = directory.read(self._directory)
        reason = self._fault(pair, material, now, orders)
        if pair is not None and not reason:
            return pair
        pair = authority.issue_serving(material.signing, self._names, now)
        authority.check(pair, material.bundle, self._names, now)
        directory.publish(self._directory, pair)
        log.info("a serving certificate was issued, valid until %s: %s", authority.expires_at(pair.certificate), reason)
        return pair

    def _fault(self, pair: Pair | None, material: Material, now: datetime, orders: Orders) -> str:
        """Why the pair is not to be served any longer; "" if it is."""
        if pair is None:
            return "there is none"
        try:
            authority.check(pair, material.bundle, self._names, now)
        except Untrusted as error:
            return str(error)
        if now >= authority.renew_at(pair.certificate, orders.renew_serving):
            return "it is due"
        if not authority.signed(pair.certificate, material.signing.certificate) and now >= _settled_at(
            material, orders
        ):
            return "another CA signs now"
        return ""


def _settled_at(material: Material, orders: Orders) -> datetime:
    """When every API server trusts a CA that was founded in place of a lost one; a successor signs only then."""
    return authority.issued_at(material.signing.certificate) + orders.settle


def _change(before: Material | None, after: Material) -> str:
    """One line for the log."""
    if before is None:
        return "issued"
    if after.signing != before.signing:
        return "the successor signs from now on; the former one stays trusted for a while"
    if after.successor != before.successor:
        return "a successor is issued"
    if after.retired != before.retired:
        return "the retired one is trusted no longer"
    return "the successor is published" if after.published else "the successor is to be published again"
