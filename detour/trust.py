"""What the API servers trust, and what each replica of the webhook presents to them."""

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from analyzer.holdings import is_being_deleted
from analyzer.kube.client import Client, Object
from analyzer.kube.errors import Unreachable
from analyzer.kube.resources import PODS, SERVICES, WEBHOOK_CONFIGURATIONS
from analyzer.removal import CONFIGURATION
from certs import authority, handshake
from detour.certificates import ca_bundles

SIGNS, SUCCESSOR, RETIRED, OTHERS = "signs", "successor", "retired", "not Detour's"
EVER = datetime.min.replace(tzinfo=UTC)
HANDSHAKE = 5.0  # seconds


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA of the caBundle, and the webhooks whose caBundle lacks it."""

    pem: bytes
    role: str
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Presented:
    """What one replica serves, and why API servers refuse it ("" if they do not)."""

    pod: str
    pem: bytes
    refused: str


@dataclass(frozen=True, slots=True)
class Trust:
    """How certificates stand; `now` is the API server's time."""

    now: datetime
    authorities: tuple[Authority, ...]
    replicas: tuple[Presented, ...]


def look(client: Client) -> Trust:
    """Ask for all of it: the configuration, the pods of its Service, and a TLS handshake with each.

    Raises errors of the API server, NotFound where Detour is not installed.
    """
    configuration = client.get(WEBHOOK_CONFIGURATIONS, None, CONFIGURATION)
    now, bundles = client.now(), ca_bundles(configuration)
    found = configuration["webhooks"][0]["clientConfig"]["service"]
    service = client.get(SERVICES, found["namespace"], found["name"])
    selector = ",".join(f"{key}={value}" for key, value in service["spec"]["selector"].items())
    pods = client.list(PODS, found["namespace"], labelSelector=selector)["items"]
    host, target = f"{found['name']}.{found['namespace']}.svc", service["spec"]["ports"][0]["targetPort"]
    running = [pod for pod in pods if pod["status"].get("phase") == "Running" and not is_being_deleted(pod)]
    replicas = tuple(_presented(client, pod, target, host, bundles, now) for pod in running)
    return Trust(now, authorities(bundles), replicas)


def authorities(bundles: Mapping[str, bytes]) -> tuple[Authority, ...]:
    """The CAs of all caBundles. The first of ours signs; one issued after it will sign, those issued before it did."""
    held = {name: _pems(bundle) for name, bundle in bundles.items()}
    every = list(dict.fromkeys(chain.from_iterable(held.values())))
    ours = authority.our_cas(b"".join(every), EVER)
    return tuple(
        Authority(pem, _role(pem, ours), tuple(name for name, pems in held.items() if pem not in pems)) for pem in every
    )


def fingerprint(pem: bytes) -> str:
    """Ten digits of the sha256, to tell one certificate from another."""
    return x509.load_pem_x509_certificate(pem).fingerprint(hashes.SHA256()).hex()[:10]


def _role(pem: bytes, ours: Sequence[bytes]) -> str:
    if pem not in ours:
        return OTHERS
    if pem == ours[0]:
        return SIGNS
    return SUCCESSOR if authority.issued_at(pem) >= authority.issued_at(ours[0]) else RETIRED


def _presented(
    client: Client, pod: Object, target: int | str, host: str, bundles: Mapping[str, bytes], now: datetime
) -> Presented:
    """Two handshakes: one to see what is there, the other to hear what a client says to it."""
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    ports = [port for container in pod["spec"]["containers"] for port in container.get("ports") or ()]
    port = next((port["containerPort"] for port in ports if target in (port.get("name"), port["containerPort"])), 0)

    def shake(context: ssl.SSLContext) -> bytes:
        with client.tunnel(namespace, name, port) as connection:
            connection.settimeout(HANDSHAKE)
            with context.wrap_socket(connection, server_hostname=host) as secure:
                return secure.getpeercert(binary_form=True) or b""

    pem = b""
    try:
        anyone = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE
        pem = ssl.DER_cert_to_PEM_cert(shake(anyone)).encode()
        if dates := authority.out_of_date(x509.load_pem_x509_certificate(pem), now):
            return Presented(name, pem, dates)
        for hook, bundle in bundles.items():
            if not bundle:
                return Presented(name, pem, f"the caBundle of {hook} is empty")
            shake(handshake.calling(bundle))
    except ssl.SSLCertVerificationError as error:
        return Presented(name, pem, error.verify_message.rstrip("."))
    except (OSError, Unreachable) as error:
        return Presented(name, pem, f"it cannot be asked: {error}")
    return Presented(name, pem, "")


def _pems(bundle: bytes) -> list[bytes]:
    try:
        return [found.public_bytes(Encoding.PEM) for found in x509.load_pem_x509_certificates(bundle)]
    except ValueError:
        return []
