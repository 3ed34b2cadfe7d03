"""Certificates that the API server accepts, and reasons in one line for those that it would not."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from certs.authority import SERVING_LIFETIME, Pair, check, expires_at, issue_ca, issue_serving, our_cas, renew_at
from certs.errors import Untrusted

NAMES = ("detour.detour.svc", "detour.detour.svc.cluster.local")
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def handshake(server: Pair, trusted: bytes, name: str, folder: Path) -> None:
    """A TLS 1.3 handshake in memory, judged by OpenSSL rather than by the code under test."""
    (folder / "tls.crt").write_bytes(server.certificate)
    (folder / "tls.key").write_bytes(server.key)
    accepting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    accepting.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    connecting = ssl.create_default_context(cadata=trusted.decode())
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = connecting.wrap_bio(to_client, to_server, server_hostname=name)
    listener = accepting.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (client, listener):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert client.version() == "TLSv1.3"
    assert client.getpeercert()


@pytest.mark.parametrize("name", NAMES)
def test_a_tls_client_that_trusts_the_ca_accepts_the_server_under_each_name(name: str, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    ca = issue_ca(now)
    handshake(issue_serving(ca, NAMES, now), ca.certificate, name, tmp_path)


def test_a_tls_client_refuses_another_ca_and_another_name(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    ca = issue_ca(now)
    server = issue_serving(ca, NAMES, now)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(server, issue_ca(now).certificate, NAMES[0], tmp_path)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(server, ca.certificate, "elsewhere.detour.svc", tmp_path)


def test_a_client_with_two_cas_accepts_servers_of_both() -> None:
    old, new = issue_ca(NOW), issue_ca(NOW)
    for ca in (old, new):
        check(issue_serving(ca, NAMES, NOW), old.certificate + new.certificate, NAMES, NOW)


def test_lifetimes_and_keys_are_as_promised() -> None:
    ca = issue_ca(NOW)
    server = issue_serving(ca, NAMES, NOW)
    assert expires_at(ca.certificate) == NOW + timedelta(days=365)
    assert expires_at(server.certificate) == NOW + timedelta(days=7)
    for pair in (ca, server):
        certificate = x509.load_pem_x509_certificate(pair.certificate)
        assert certificate.not_valid_before_utc == NOW - timedelta(hours=1)
        key = certificate.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        assert key.curve.name == "secp256r1"
        assert renew_at(pair.certificate) < expires_at(pair.certificate) - timedelta(days=2)


def test_a_serving_certificate_never_outlives_its_ca() -> None:
    ca = issue_ca(NOW)
    late = expires_at(ca.certificate) - timedelta(days=1)
    assert expires_at(issue_serving(ca, NAMES, late).certificate) == expires_at(ca.certificate)


def test_a_serving_certificate_cannot_be_used_as_a_ca() -> None:
    ca = issue_ca(NOW)
    server = issue_serving(ca, NAMES, NOW)
    forged = issue_serving(server, NAMES, NOW)
    with pytest.raises(Untrusted):
        check(forged, ca.certificate, NAMES, NOW)
    with pytest.raises(Untrusted):
        check(forged, server.certificate, NAMES, NOW)


def test_every_refusal_gives_its_reason_in_one_line() -> None:
    ca = issue_ca(NOW)
    good = issue_serving(ca, NAMES, NOW)
    foreign = issue_serving(issue_ca(NOW), NAMES, NOW)
    cases: list[tuple[Pair, datetime, str]] = [
        (good, NOW + SERVING_LIFETIME, "renew it"),
        (good, NOW - timedelta(hours=2), "put right the clock of whoever issued it"),
        (issue_serving(ca, ["other.detour.svc"], NOW), NOW, "is for other.detour.svc, not for detour.detour.svc"),
        (foreign, NOW, "not from a CA that the caBundle holds"),
        (Pair(good.certificate, foreign.key), NOW, "belongs to another private key"),
        (Pair(good.certificate[:90], good.key), NOW, "not readable PEM"),
        (Pair(good.certificate, b""), NOW, "not readable PEM"),
    ]
    for pair, moment, reason in cases:
        with pytest.raises(Untrusted, match=reason) as refusal:
            check(pair, ca.certificate, NAMES, moment)
        assert "\n" not in str(refusal.value)


def test_a_private_key_does_not_appear_in_a_repr() -> None:
    pair = issue_ca(NOW)
    assert "PRIVATE KEY" in pair.key.decode()
    assert "PRIVATE" not in repr(pair)


def test_our_cas_are_found_in_a_bundle_and_nothing_else() -> None:
    ours, old = issue_ca(NOW), issue_ca(NOW - timedelta(days=400))
    server = issue_serving(ours, NAMES, NOW)
    assert our_cas(ours.certificate + old.certificate + server.certificate, NOW) == (ours.certificate,)
    assert our_cas(b"", NOW) == our_cas(b"rubbish", NOW) == ()
