"""A certificate that others make (cert-manager, a Secret of the user's), served once the API servers will accept it.

The Secret is mounted, and the kubelet replaces its files as a whole. They are not what the webhook serves: they are
looked at first, and while clients would refuse them, the last good pair goes on being served.
"""

import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from certs import authority, directory, handshake
from certs.authority import Pair
from certs.errors import Untrusted
from certs.orders import SETTLE
from certs.rotation import ABSENT, PATROL, Bundles, Standing, Store

CA = "ca.crt"
OVERLAP = timedelta(minutes=10)
"""How long a CA that the Secret no longer has stays in the caBundle: the kubelets bring a new Secret to the replicas at
moments of their own, within two minutes."""

EVER = datetime(1970, 1, 1, tzinfo=UTC)

log = logging.getLogger(__name__)


class Brought:
    """The certificate of the webhook that is reached as `name`: mounted at `source`, served from `target`.

    With `bundled` the caBundle is made of the Secret's `ca.crt`; else it is the business of others.
    """

    def __init__(
        self, store: Store, source: Path, target: Path, name: str, *, bundled: bool, settle: timedelta = SETTLE
    ) -> None:
        self._store, self._source, self._target, self._name = store, source, target, name
        self._bundled, self._settle = bundled, settle
        self._extra: dict[x509.Certificate, datetime] = {}
        """CAs of the caBundle that the Secret does not have, and since when they are seen."""
        self._trusted: dict[x509.Certificate, datetime] | None = None
        """CAs that every caBundle has, and since when they are seen; what the first look found has been there."""

    def ensure(self) -> Standing:
        """Take over what is mounted, if it can be trusted, and say how it stands.

        Raises `Untrusted` with the reason why the mounted pair is not served, `Unwritable`, `rotation.Conflict`, and
        whatever the store raises.
        """
        live = self._store.read_ca_bundles()
        if live is None or not live.pems:
            return Standing(ABSENT)
        now = self._store.time()
        bundles = self._bundle(live, now) if self._bundled else live.pems
        if self._trusted is None:
            self._trusted = dict.fromkeys(_everywhere(live.pems), EVER)
        self._trusted = {ca: self._trusted.get(ca, now) for ca in _everywhere(bundles)}
        pair = self._mounted(bundles, now)
        wait = min([self._serve(pair, now), *(since + OVERLAP - now for since in self._extra.values())])
        issuers = {certificate.issuer for certificate in _certificates(pair.certificate)}
        ends = [ca.not_valid_after_utc for pem in bundles for ca in _certificates(pem) if ca.subject in issuers]
        return Standing(wait, max(ends, default=None), authority.expires_at(pair.certificate))

    def _bundle(self, live: Bundles, now: datetime) -> tuple[bytes, ...]:
        """The caBundle with the Secret's CAs, and for a while those that it had before, or that other replicas have."""
        ours = _certificates(directory.file(self._source, CA))
        if not ours:
            raise Untrusted(
                f"the Secret mounted at {self._source} has no {CA} in PEM that the caBundle could be made of"
            )
        others = {ca for pem in live.pems for ca in _certificates(pem)} - set(ours)
        since = {ca: self._extra.get(ca, now) for ca in others}
        self._extra = {ca: seen for ca, seen in since.items() if now < min(seen + OVERLAP, ca.not_valid_after_utc)}
        wanted = {*ours, *self._extra}
        if all(set(_certificates(pem)) == wanted for pem in live.pems):
            return live.pems
        pem = _pem([*ours, *self._extra])
        self._store.write_ca_bundle(pem, live)
        log.info("the webhook's caBundle was put in place, of the mounted Secret")
        return (pem,)

    def _mounted(self, bundles: Iterable[bytes], now: datetime) -> Pair:
        """The mounted pair, which every caBundle vouches for. Raises `Untrusted` with the reason if it cannot be."""
        pair = directory.read(self._source)
        if pair is None:
            raise Untrusted(f"the Secret mounted at {self._source} has no {directory.CERTIFICATE} and {directory.KEY}")
        leaf = authority.examined(pair, now)
        for bundle in bundles:
            anchors = _pem(ca for ca in _certificates(bundle) if now < ca.not_valid_after_utc)
            reason = handshake.refusal(pair, anchors, self._name) if anchors else "it is empty, or has expired"
            if "ostname mismatch" in reason:
                names = ", ".join(authority.dns_names(leaf)) or "nobody"
                raise Untrusted(f"the serving certificate is for {names}, not for {self._name}: issue it for that name")
            if reason:
                raise Untrusted(
                    f"the serving certificate is not from a CA that the caBundle holds: {reason}: "
                    + (f"put its CA into the Secret as {CA}" if self._bundled else "bring its CA into the caBundle")
                )
        return pair

    def _serve(self, pair: Pair, now: datetime) -> timedelta:
        """Serve the pair when all API servers have had time to trust it; at once, where nothing good is served."""
        served = directory.read(self._target)
        if served == pair:
            return PATROL
        left = {ca: since + self._settle - now for ca, since in (self._trusted or {}).items()}
        settled = [ca for ca, wait in left.items() if wait <= timedelta(0)]
        good = served is not None and now < authority.expires_at(served.certificate)
        if good and handshake.refusal(pair, _pem(settled), self._name):
            return min((wait for wait in left.values() if wait > timedelta(0)), default=self._settle)
        directory.publish(self._target, pair)
        log.info("the mounted certificate is served, valid until %s", authority.expires_at(pair.certificate))
        return PATROL


def _certificates(pem: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        return []


def _everywhere(bundles: Iterable[bytes]) -> set[x509.Certificate]:
    return set.intersection(*(set(_certificates(pem)) for pem in bundles))


def _pem(certificates: Iterable[x509.Certificate]) -> bytes:
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)
