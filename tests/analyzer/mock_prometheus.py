"""A server that only pretends to be Prometheus: it says what it is told to, and counts who asks."""

import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from analyzer.addresses import Addresses
from analyzer.metrics import prometheus
from analyzer.metrics.provider import Sample

LOOPBACK = Addresses.allowing("127.0.0.0/8", "::1")
"""What has to be allowed for such a server to be called."""

Ask = Callable[..., Sample]
Prometheus = partial(prometheus.Prometheus, addresses=LOOPBACK)


def vector(*values: str, **labels: str) -> dict[str, Any]:
    """The data of an answer: a series with each of these values."""
    return {"resultType": "vector", "result": [{"metric": labels, "value": [1.5, value]} for value in values]}


def send(handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    """Answer with this body."""
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def refuse(handler: BaseHTTPRequestHandler) -> None:
    """What it does until it is told what to say."""
    send(handler, 500, b"")


@dataclass
class Mock:
    """`behaviour` answers; `asked` has method, path, query and headers of each request, `sent` what came with it."""

    address: str = ""
    port: int = 0
    behaviour: Callable[[BaseHTTPRequestHandler], None] = refuse
    asked: list[tuple[str, str, str, dict[str, str]]] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)

    def answers(self, data: Any = None, status: int = 200, **document: Any) -> None:
        """Answer with a document of Prometheus' from now on."""
        body = json.dumps({"status": "success" if status == 200 else "error", "data": data, **document}).encode()
        self.behaviour = lambda handler: send(handler, status, body)


@contextmanager
def pretending(pair: Path | None = None) -> Iterator[Mock]:
    """The server, on a port of its own; with TLS if there is a file with key and certificate."""
    mock = Mock()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode() or url.query
            mock.sent.append(sent)
            mock.asked.append((self.command, url.path, parse_qs(sent).get("query", [""])[0], dict(self.headers)))
            mock.behaviour(self)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that hangs up is part of the play."""

    server = Server(("127.0.0.1", 0), Handler)
    mock.port = server.server_port
    mock.address = f"{'https' if pair else 'http'}://127.0.0.1:{server.server_port}"
    if pair:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield mock
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
