"""What a TLS client would say to a certificate, judged by OpenSSL in a handshake within memory.

The certificates that others make come in more shapes than ours: RSA, Ed25519, chains, self-signed ones, without the
extensions that a strict verifier asks for. Go, and so the API server, takes them all, and so does OpenSSL.
"""

import ssl
import tempfile
from contextlib import suppress
from pathlib import Path

from certs.authority import Pair

PARTIAL_CHAIN, NO_CHECK_TIME = ssl.VERIFY_X509_PARTIAL_CHAIN, 0x200000
"""Any certificate of the caBundle is an anchor, as in Go. What time it is, is for the API server's clock to say
(X509_V_FLAG_NO_CHECK_TIME of OpenSSL, which Python has no name for)."""


def refusal(pair: Pair, trusted: bytes, name: str) -> str:
    """Why a client that trusts the CAs `trusted` (PEM) refuses this server as `name`; "" if it does not."""
    try:
        to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = calling(trusted).wrap_bio(to_client, to_server, server_hostname=name)
        server = _serving(pair).wrap_bio(to_server, to_client, server_side=True)
        for side in (client, server, client, server):
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
    except ssl.SSLCertVerificationError as error:
        return error.verify_message.rstrip(".")
    except (ssl.SSLError, OSError, ValueError) as error:
        return f"it cannot be served: {error}"
    return ""


def calling(trusted: bytes) -> ssl.SSLContext:
    """A client that trusts these CAs (PEM) as the API server does, but for the dates. Raises `ssl.SSLError`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= PARTIAL_CHAIN | NO_CHECK_TIME
    context.load_verify_locations(cadata=trusted.decode())
    return context


def _serving(pair: Pair) -> ssl.SSLContext:
    """OpenSSL reads keys from files only; these are gone at once, and /tmp is memory in the pod."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = Path(folder, "tls.crt"), Path(folder, "tls.key")
        certificate.write_bytes(pair.certificate)
        key.write_bytes(pair.key)
        context.load_cert_chain(certificate, key)
    return context
