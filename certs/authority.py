"""Issues and examines certificates. Pure: the clock is a parameter, nothing is stored.

P-256 keys throughout: they are what every TLS client supports and are made in well under a millisecond.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from certs.errors import Untrusted

CA_NAME = "detour-ca"
CA_LIFETIME = timedelta(days=365)
SERVING_LIFETIME = timedelta(days=7)
BACKDATED = timedelta(hours=1)
"""How far the beginning lies in the past, for API servers whose clock is behind ours."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its private key, both PEM. The key is kept out of `repr`, and so out of logs."""

    certificate: bytes
    key: bytes = field(repr=False)


def issue_ca(now: datetime) -> Pair:
    """A self-signed CA that may sign serving certificates, and no further CA."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, CA_NAME)])
    certificate = (
        _builder(key, now, now + CA_LIFETIME)
        .subject_name(name)
        .issuer_name(name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return _pair(certificate, key)


def issue_serving(ca: Pair, names: Sequence[str], now: datetime) -> Pair:
    """A certificate for a TLS server that is reached by any of `names`. It never outlives its CA."""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.load_pem_x509_certificate(ca.certificate)
    issuer_key = serialization.load_pem_private_key(ca.key, password=None)
    if not isinstance(issuer_key, ec.EllipticCurvePrivateKey):
        raise Untrusted("the CA's key is not an elliptic-curve key: delete the CA's Secret, and a new one is made")
    certificate = (
        _builder(key, now, min(now + SERVING_LIFETIME, issuer.not_valid_after_utc))
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])]))
        .issuer_name(issuer.subject)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )
    return _pair(certificate, key)


def issued_at(certificate: bytes) -> datetime:
    """When one of ours was made, to the second."""
    return x509.load_pem_x509_certificate(certificate).not_valid_before_utc + BACKDATED


def renew_at(certificate: bytes, ordered: datetime | None = None) -> datetime:
    """When two thirds of its life are over: a third is left for whatever stands in the way of renewing it.

    `ordered`: whatever is older than this is due then, if not sooner.
    """
    issued, end = issued_at(certificate), expires_at(certificate)
    due = issued + (end - issued) * 2 / 3
    if ordered and issued < ordered.replace(microsecond=0):
        return min(due, ordered)
    return due


def expires_at(certificate: bytes) -> datetime:
    """The moment from which on clients refuse it."""
    return x509.load_pem_x509_certificate(certificate).not_valid_after_utc


def signed(certificate: bytes, ca: bytes) -> bool:
    """Whether this very CA has signed it, and not one of the same name."""
    try:
        parent = x509.load_pem_x509_certificate(ca)
        x509.load_pem_x509_certificate(certificate).verify_directly_issued_by(parent)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def our_cas(bundle: bytes, now: datetime) -> tuple[bytes, ...]:
    """The CA certificates in a bundle of PEMs that bear our name and are still valid; none if it cannot be read."""
    try:
        certificates = x509.load_pem_x509_certificates(bundle)
    except ValueError:
        return ()
    ours = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, CA_NAME)])
    return tuple(_pem(c) for c in certificates if c.subject == c.issuer == ours and c.not_valid_after_utc > now)


def check(pair: Pair, trusted: bytes, names: Sequence[str], now: datetime) -> None:
    """Would a client that trusts the CAs `trusted` accept this server under each of `names`?

    Raises `Untrusted` with the one reason that matters most.
    """
    certificate = examined(pair, now)
    present = dns_names(certificate)
    missing = sorted(set(names) - set(present))
    if missing:
        raise Untrusted(
            f"the serving certificate is for {', '.join(present) or 'nobody'}, not for {', '.join(missing)}"
        )
    try:
        builder = PolicyBuilder().store(Store(x509.load_pem_x509_certificates(trusted))).time(now)
        for name in names:
            builder.build_server_verifier(x509.DNSName(name)).verify(certificate, [])
    except (ValueError, VerificationError) as error:
        raise Untrusted(f"the serving certificate is not from a CA that the caBundle holds: {_line(error)}") from error


def examined(pair: Pair, now: datetime) -> x509.Certificate:
    """The certificate of a pair that a server can serve today, whoever trusts it. Raises `Untrusted`."""
    try:
        certificate = x509.load_pem_x509_certificate(pair.certificate)
        key = serialization.load_pem_private_key(pair.key, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Untrusted(f"the serving certificate or its key is not readable PEM: {_line(error)}") from error
    if certificate.public_key() != key.public_key():
        raise Untrusted("the serving certificate belongs to another private key: issue both anew")
    if dates := out_of_date(certificate, now):
        raise Untrusted(f"the serving certificate {dates}")
    return certificate


def out_of_date(certificate: x509.Certificate, now: datetime) -> str:
    """Why it is not valid at this time, with the remedy; "" if it is."""
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now >= end:
        return f"has expired at {end}, and the API server has {now}: renew it"
    if now < begin:
        return f"is valid only from {begin}, and the API server has {now}: put right the clock of whoever issued it"
    return ""


def dns_names(certificate: x509.Certificate) -> list[str]:
    """The host names that it is for."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return extension.value.get_values_for_type(x509.DNSName)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def _builder(key: ec.EllipticCurvePrivateKey, now: datetime, end: datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .serial_number(x509.random_serial_number())
        .public_key(key.public_key())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pair(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
    encoded = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Pair(_pem(certificate), encoded)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
