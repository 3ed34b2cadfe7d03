"""The server for real: processes, sockets, certificates."""

import http.client
import json
import multiprocessing
import os
import signal
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.webhook.deployments import SETTINGS, changed, deployment, template
from tests.webhook.model import review
from webhook.server import Server, serve

HOST = "127.0.0.1"
PATIENCE = 15.0  # seconds, on a busy machine


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def write_certificate(directory: Path, name: str) -> None:
    """A self-signed certificate and its key, put in place as the analyzer does it: written aside, then renamed."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    for file, content in (("tls.key", private), ("tls.crt", certificate.public_bytes(pem))):
        (directory / f"{file}.new").write_bytes(content)
        (directory / f"{file}.new").rename(directory / file)


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


class Running:
    """A server in a process of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.port, self.health_port = directory, free_port(), free_port()
        server = Server(directory, self.port, self.health_port)
        self.process = multiprocessing.get_context("spawn").Process(target=serve, args=(server, SETTINGS))
        self.process.start()

    def health(self, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection(HOST, self.health_port, timeout=PATIENCE)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        except OSError:
            return 0, ""
        finally:
            connection.close()

    def connect(self) -> http.client.HTTPSConnection:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return http.client.HTTPSConnection(HOST, self.port, timeout=PATIENCE, context=context)

    def name(self) -> str:
        """The name in the certificate that a new connection is served with."""
        connection = self.connect()
        try:
            connection.connect()
            der = connection.sock.getpeercert(binary_form=True)
        except OSError:
            return ""
        finally:
            connection.close()
        assert der is not None
        found = x509.load_der_x509_certificate(der)
        return str(found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)

    def stop(self) -> int | None:
        if self.process.pid and self.process.is_alive():
            os.kill(self.process.pid, signal.SIGTERM)
        self.process.join(PATIENCE)
        return self.process.exitcode


@pytest.fixture(name="running", scope="module")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    found = Running(tmp_path_factory.mktemp("tls"))
    yield found
    found.stop()
    if found.process.is_alive():
        found.process.kill()


def ask(connection: http.client.HTTPSConnection) -> dict[str, object]:
    new = changed(deployment(template("podinfo:1")), template("podinfo:2"))
    body = json.dumps(review(new, deployment(template("podinfo:1"))))
    connection.request("POST", "/divert", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    assert response.status == 200
    answer: dict[str, object] = json.loads(response.read())["response"]
    return answer


def test_it_is_alive_but_not_ready_before_there_is_a_certificate(running: Running) -> None:
    eventually(lambda: running.health("/healthz")[0] == 200)
    assert running.health("/readyz") == (503, "waiting for the certificate\n")
    assert running.name() == ""


def test_it_serves_as_soon_as_there_is_one(running: Running) -> None:
    write_certificate(running.directory, "first")
    eventually(lambda: running.health("/readyz")[0] == 200)
    connection = running.connect()
    assert ask(connection)["allowed"] is True
    assert isinstance(connection.sock, ssl.SSLSocket)
    assert connection.sock.version() == "TLSv1.3"
    first = connection.sock
    assert ask(connection)["patchType"] == "JSONPatch"
    assert connection.sock is first, "the connection is kept alive"
    connection.close()


def test_it_counts_what_it_decides(running: Running) -> None:
    metrics = running.health("/metrics")[1]
    assert 'detour_webhook_decisions_total{decision="diverted"} 2.0' in metrics
    assert "detour_webhook_seconds_bucket" in metrics


def test_a_new_certificate_is_picked_up_and_old_connections_live_on(running: Running) -> None:
    assert running.name() == "first"
    old = running.connect()
    ask(old)
    write_certificate(running.directory, "second")
    assert running.name() == "second"
    assert ask(old)["allowed"] is True
    old.close()


def test_a_broken_certificate_changes_nothing(running: Running) -> None:
    (running.directory / "tls.crt").write_text("nonsense")
    assert running.name() == "second"
    assert running.health("/readyz")[0] == 200
    write_certificate(running.directory, "third")
    assert running.name() == "third"


def test_silent_peers_do_not_keep_it_from_answering(running: Running) -> None:
    silent = [socket.create_connection((HOST, running.port)) for _ in range(20)]
    for peer in silent:
        peer.send(b"\x16")  # the first byte of a handshake that never goes on
    connection = running.connect()
    assert ask(connection)["allowed"] is True
    connection.close()
    for peer in silent:
        peer.close()


def test_peers_that_stop_within_a_request_do_not_keep_it_from_answering(running: Running) -> None:
    stuck = [running.connect() for _ in range(20)]
    for peer in stuck:
        ask(peer)
        assert peer.sock is not None
        peer.sock.sendall(b"POST /div")  # on a connection that was kept alive
    connection = running.connect()
    assert ask(connection)["allowed"] is True
    for peer in [connection, *stuck]:
        peer.close()


def test_it_finishes_and_goes_when_it_is_told_to(running: Running) -> None:
    assert running.stop() == 0
