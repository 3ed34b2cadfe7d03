"""A webhook server for real: a process, sockets, a certificate, and what it logs."""

import http.client
import json
import multiprocessing
import os
import signal
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from detour import logs
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


def serve_logged(server: Server, log: Path, form: str) -> None:
    """As `detour webhook` does it, with standard error in a file."""
    with log.open("wb") as file:
        os.dup2(file.fileno(), 2)
    logs.configure("info", form)
    serve(server, SETTINGS)


class Running:
    """A server in a process of its own; it writes its log into the directory of its certificate."""

    def __init__(self, directory: Path, form: str = logs.TEXT) -> None:
        self.directory, self.port, self.health_port = directory, free_port(), free_port()
        server = Server(directory, self.port, self.health_port)
        arguments = server, directory / "log", form
        self.process = multiprocessing.get_context("spawn").Process(target=serve_logged, args=arguments)
        self.process.start()

    @property
    def log(self) -> str:
        return (self.directory / "log").read_text()

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
        if self.process.is_alive():
            self.process.kill()
        return self.process.exitcode


@contextmanager
def ready(directory: Path, form: str = logs.TEXT) -> Iterator[Running]:
    """A server that serves; it has to end in peace."""
    found = Running(directory, form)
    write_certificate(directory, "webhook")
    try:
        eventually(lambda: found.health("/readyz")[0] == 200)
        yield found
    finally:
        ended = found.stop()
    assert ended == 0


def ask(connection: http.client.HTTPSConnection) -> dict[str, object]:
    new = changed(deployment(template("podinfo:1")), template("podinfo:2"))
    body = json.dumps(review(new, deployment(template("podinfo:1"))))
    connection.request("POST", "/divert", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    assert response.status == 200
    answer: dict[str, object] = json.loads(response.read())["response"]
    return answer
