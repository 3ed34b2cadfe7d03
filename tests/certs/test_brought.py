"""A certificate that others make is served once API servers will accept it; until then the reason is in one line."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from certs import directory
from certs.authority import Pair, issue_ca, issue_serving
from certs.brought import OVERLAP, Brought
from certs.errors import Untrusted
from certs.orders import SETTLE
from tests.certs.world import BEGIN, Cluster

HOST = "detour.detour.svc"
CA = issue_ca(BEGIN)
NEXT_CA = issue_ca(BEGIN)
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


class Replica:
    """A pod with a mounted Secret, which a kubelet replaces as a whole."""

    def __init__(self, cluster: Cluster, folder: Path, *, bundled: bool = True) -> None:
        self.cluster, self.mounted, self.served_from = cluster, folder / "secret", folder / "tls"
        self.brought = Brought(cluster, self.mounted, self.served_from, HOST, bundled=bundled)

    def mount(self, pair: Pair, ca: bytes = CA.certificate) -> None:
        """What the kubelet does with a Secret of tls.crt, tls.key and ca.crt."""
        directory.publish(self.mounted, pair)
        (self.mounted / directory.version(self.mounted) / "ca.crt").write_bytes(ca)

    def run(self) -> timedelta:
        wait = self.brought.ensure().wait
        assert wait > timedelta(0)
        return wait

    def refused(self) -> str:
        with pytest.raises(Untrusted) as refusal:
            self.run()
        assert "\n" not in str(refusal.value)
        return str(refusal.value)

    @property
    def served(self) -> Pair | None:
        return directory.read(self.served_from)


def leaf(ca: Pair = CA, name: str = HOST, now: datetime = BEGIN) -> Pair:
    return issue_serving(ca, [name], now)


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def pod(cluster: Cluster, tmp_path: Path) -> Replica:
    """It serves a good certificate already, and has done so for a while."""
    replica = Replica(cluster, tmp_path)
    replica.mount(leaf())
    replica.run()
    cluster.now += SETTLE
    return replica


def test_the_first_one_is_served_at_once_with_the_ca_bundle_of_its_secret(cluster: Cluster, pod: Replica) -> None:
    assert pod.served == directory.read(pod.mounted)
    assert cluster.bundles == [CA.certificate] * 2


def test_a_renewed_one_of_the_same_ca_is_served_at_once(pod: Replica) -> None:
    renewed = leaf()
    pod.mount(renewed)
    pod.run()
    assert pod.served == renewed


def test_one_of_a_new_ca_is_served_when_every_api_server_has_had_time_to_trust_it(
    cluster: Cluster, pod: Replica
) -> None:
    old, new = pod.served, leaf(NEXT_CA)
    pod.mount(new, NEXT_CA.certificate)
    pod.run()
    assert pod.served == old
    assert cluster.bundles == [NEXT_CA.certificate + CA.certificate] * 2
    cluster.now += SETTLE
    pod.run()
    assert pod.served == new
    cluster.now += OVERLAP
    pod.run()
    assert cluster.bundles == [NEXT_CA.certificate] * 2


def test_replicas_that_get_a_new_secret_at_different_moments_do_not_distrust_each_other(
    cluster: Cluster, pod: Replica, tmp_path: Path
) -> None:
    late = Replica(cluster, tmp_path / "late")
    late.mount(leaf())
    late.run()
    pod.mount(leaf(NEXT_CA), NEXT_CA.certificate)
    for _ in range(6):
        for replica in (pod, late):
            replica.run()
            assert all(ca.certificate in cluster.bundles[0] for ca in (CA, NEXT_CA))
        cluster.now += SETTLE / 3
    late.mount(leaf(NEXT_CA), NEXT_CA.certificate)
    for _ in range(3):
        cluster.now += OVERLAP
        pod.run()
        late.run()
    assert cluster.bundles == [NEXT_CA.certificate] * 2


@pytest.mark.parametrize("wrong", [b"", issue_ca(BEGIN).certificate])
def test_a_ca_bundle_that_somebody_emptied_or_overwrote_is_put_right(
    wrong: bytes, cluster: Cluster, pod: Replica
) -> None:
    for bundles in ([wrong] * 2, [CA.certificate, wrong]):
        cluster.set_bundles(bundles)
        pod.run()
        assert all(bundle.startswith(CA.certificate) for bundle in cluster.bundles)
    cluster.now += OVERLAP
    pod.run()
    assert cluster.bundles == [CA.certificate] * 2


def broken() -> Iterator[tuple[str, Pair, str]]:
    good, foreign = leaf(), leaf(issue_ca(BEGIN))
    yield "expired", leaf(now=BEGIN - timedelta(days=8)), "has expired at 2026-02-28"
    yield "not yet valid", leaf(now=BEGIN + timedelta(days=1)), "is valid only from 2026-03-01 23:00"
    yield "another host", leaf(name="a.b"), f"is for a.b, not for {HOST}: issue it for that name"
    yield (
        "a foreign CA",
        foreign,
        "is not from a CA that the caBundle holds: unable to get local issuer certificate: put",
    )
    yield "another key", Pair(good.certificate, foreign.key), "belongs to another private key"
    yield "no PEM", Pair(b"rubbish", good.key), "is not readable PEM"
    yield "no key", Pair(good.certificate, b""), "is not readable PEM"


@pytest.mark.parametrize(("pair", "reason"), [case[1:] for case in broken()], ids=[case[0] for case in broken()])
def test_a_broken_one_is_named_and_the_last_good_one_stays(pair: Pair, reason: str, pod: Replica) -> None:
    good = pod.served
    pod.mount(pair)
    assert reason in pod.refused()
    assert pod.served == good
    better = leaf()
    pod.mount(better)
    pod.run()
    assert pod.served == better


def test_a_secret_without_its_files_is_named(pod: Replica) -> None:
    pod.mount(leaf(), b"")
    assert "has no ca.crt in PEM" in pod.refused()
    pod.mounted.rename(pod.mounted.with_name("gone"))
    assert "has no ca.crt" in pod.refused()


def test_a_ca_bundle_of_others_is_waited_for_and_never_written(cluster: Cluster, tmp_path: Path) -> None:
    pod = Replica(cluster, tmp_path, bundled=False)
    first = leaf()
    pod.mount(first)
    assert "it is empty, or has expired: bring its CA into the caBundle" in pod.refused()
    cluster.set_bundles([CA.certificate, b""])
    assert "it is empty" in pod.refused()
    cluster.set_bundles([CA.certificate] * 2)
    pod.run()
    assert (pod.served, cluster.writes) == (first, 0)


@pytest.mark.parametrize("make", [lambda: rsa.generate_private_key(65537, 2048), ed25519.Ed25519PrivateKey.generate])
def test_plain_certificates_of_other_tools_are_as_good(make: type, pod: Replica) -> None:
    """As `openssl x509` makes them: no key usage, no key identifiers; and self-signed ones, their own CA."""
    ca, server = make(), make()
    root = plain("other", ca, None, ca)
    signed = plain("server", server, root, ca)
    for certificate, key, anchor in ((signed, server, root), (plain(HOST, ca, None, ca), ca, None)):
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        pair = Pair(pem, pem_of(key))
        pod.mount(pair, anchor.public_bytes(serialization.Encoding.PEM) if anchor else pem)
        pod.run()
        pod.cluster.now += SETTLE
        pod.run()
        assert pod.served == pair


def plain(name: str, key: Key, issuer: x509.Certificate | None, signer: Key) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(BEGIN)
        .not_valid_after(BEGIN + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    return builder.sign(signer, None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256())


def pem_of(key: Key) -> bytes:
    encoding, shape = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, shape, serialization.NoEncryption())
