"""The CA as the replicas share it, and which change it needs next.

Clients must trust a CA before anything is signed by it, and until everything that it signed is gone. So a CA goes
through three places: `successor` (in the caBundle only), `signing`, `retired` (in the caBundle, its key destroyed).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from certs.authority import SERVING_LIFETIME, Pair, expires_at, issue_ca, our_cas, renew_at
from certs.errors import UnreadableCA
from certs.orders import Orders

MOST_RETIRED = 8
"""A caBundle has an end, whoever orders renewals in a loop: replicas leave a retired CA within seconds."""


@dataclass(frozen=True, slots=True)
class Material:
    """The content of the CA's Secret."""

    signing: Pair
    successor: Pair | None = None
    published: datetime | None = None
    """Since when the caBundle has held the successor without a gap."""
    retired: bytes = b""
    """PEM of the CAs whose serving certificates may still be in use."""
    retired_until: datetime | None = None

    @property
    def bundle(self) -> bytes:
        """What the caBundle has to be."""
        return self.signing.certificate + (self.successor.certificate if self.successor else b"") + self.retired


def advance(material: Material | None, bundles: Sequence[bytes], now: datetime, orders: Orders) -> Material:
    """The material after its next single change, or the same when there is nothing to do.

    `bundles` are the caBundles of the live configuration, one per webhook, read before the material was.
    """
    if material is None:
        return _founded(bundles, now)
    if material.retired_until and _distrusted_at(material.retired_until, orders) <= now:
        return replace(material, retired=b"", retired_until=None)
    expired = expires_at(material.signing.certificate) <= now
    if material.successor is None:
        due = now >= renew_at(material.signing.certificate, orders.renew_ca)
        return replace(material, successor=issue_ca(now)) if due else material
    if expired:
        return _succeeded(material, material.successor, now)
    if not in_place(material, bundles):
        return replace(material, published=None)
    if material.published is None or material.published > now:
        return replace(material, published=now)
    return _succeeded(material, material.successor, now) if now >= material.published + orders.settle else material


def in_place(material: Material, bundles: Sequence[bytes]) -> bool:
    """Does every webhook of the live configuration trust exactly this material?"""
    return bool(bundles) and all(bundle == material.bundle for bundle in bundles)


def next_change(material: Material, orders: Orders) -> datetime:
    """When `advance` will have something to do, as far as the clock decides it."""
    due = [renew_at(material.signing.certificate, orders.renew_ca)] if material.successor is None else []
    if material.published:
        due.append(material.published + orders.settle)
    if material.retired_until:
        due.append(_distrusted_at(material.retired_until, orders))
    return min(due, default=expires_at(material.signing.certificate))


def _founded(bundles: Sequence[bytes], now: datetime) -> Material:
    """A first CA. Where the Secret was lost, what the replicas still serve stays trusted until they have renewed it."""
    known = {certificate: None for bundle in bundles for certificate in our_cas(bundle, now)}
    return Material(issue_ca(now), retired=b"".join(known), retired_until=now + SERVING_LIFETIME if known else None)


def _succeeded(material: Material, successor: Pair, now: datetime) -> Material:
    retired = our_cas(material.signing.certificate + material.retired, now)[:MOST_RETIRED]
    return Material(successor, None, None, b"".join(retired), now + SERVING_LIFETIME if retired else None)


def _distrusted_at(retired_until: datetime, orders: Orders) -> datetime:
    """When the last certificate of a retired CA has expired, or sooner by order."""
    if orders.distrust and retired_until - SERVING_LIFETIME < orders.distrust:
        return min(retired_until, orders.distrust)
    return retired_until


def encode(material: Material) -> dict[str, bytes]:
    """The data of the Secret, unencoded (the API wants each value in base64)."""
    data = {"ca.crt": material.signing.certificate, "ca.key": material.signing.key}
    if material.successor:
        data |= {"successor.crt": material.successor.certificate, "successor.key": material.successor.key}
    if material.published:
        data["successor.published"] = material.published.isoformat().encode()
    if material.retired_until:
        data |= {"retired.crt": material.retired, "retired.until": material.retired_until.isoformat().encode()}
    return data


def decode(data: Mapping[str, bytes]) -> Material:
    """The reverse of `encode`. Raises `UnreadableCA` naming the key of the Secret that is wrong."""
    signing = _pair(data, "ca")
    if signing is None:
        raise UnreadableCA(_unreadable("ca.crt", "it is missing"))
    return Material(
        signing,
        _pair(data, "successor"),
        _moment(data, "successor.published"),
        data.get("retired.crt", b""),
        _moment(data, "retired.until"),
    )


def _pair(data: Mapping[str, bytes], name: str) -> Pair | None:
    pair = Pair(data.get(f"{name}.crt", b""), data.get(f"{name}.key", b""))
    if not pair.certificate and not pair.key:
        return None
    try:
        public = x509.load_pem_x509_certificate(pair.certificate).public_key()
    except ValueError as error:
        raise UnreadableCA(_unreadable(f"{name}.crt", str(error))) from error
    try:
        key = serialization.load_pem_private_key(pair.key, password=None)
    except (ValueError, TypeError) as error:
        raise UnreadableCA(_unreadable(f"{name}.key", "it is not a private key in PEM")) from error
    if key.public_key() != public:
        raise UnreadableCA(_unreadable(f"{name}.key", f"it does not belong to {name}.crt"))
    return pair


def _moment(data: Mapping[str, bytes], name: str) -> datetime | None:
    text = data.get(name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.decode())
    except ValueError as error:
        raise UnreadableCA(_unreadable(name, "it is not a time")) from error
    if moment.tzinfo is None:
        raise UnreadableCA(_unreadable(name, "it has no time zone"))
    return moment


def _unreadable(key: str, reason: str) -> str:
    return f"the CA's Secret cannot be used, {key}: {reason}: delete the Secret, and a new CA is made"
