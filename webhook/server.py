"""gunicorn around the application: threads, TLS, deadlines. The only module that knows gunicorn."""

import json
import logging
import os
import select
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.http import errors
from gunicorn.workers.gthread import _DEFER, TConn, ThreadWorker

from webhook.app import create_app, place
from webhook.certificate import Certificate
from webhook.decision import Settings
from webhook.health import Health
from webhook.patience import Patience
from webhook.telemetry import Telemetry

PATIENCE = Patience(silence=2.0, request=5.0)
"""The API server is near, and it asks with its whole body at once; after 5 s (`timeoutSeconds`) it has given up."""

LINGER = 10
"""Milliseconds that a thread waits for the next request of its connection before another may have the thread."""

TLS_HANDSHAKE = b"\x16"
"""The first byte of every TLS connection (RFC 8446, 5.1: ContentType handshake)."""


class PlainText(Exception):
    """HTTP without TLS."""


COMPLAINTS: tuple[tuple[type[Exception], int, str], ...] = (
    (errors.LimitRequestLine, 414, "the request line is too long"),
    (errors.LimitRequestHeaders, 431, "there are too many headers, or they are too long"),
    (errors.ExpectationFailed, 417, "only 100-continue can be expected"),
    (PlainText, 400, "this port speaks TLS: use https"),
    (errors.ParseException, 400, "this is no HTTP/1.1 request"),
)
"""What is answered and logged. gunicorn's own words quote what was sent, which may be a secret, or half a body."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where and how to serve. `certificates`: the directory of `tls.crt` and `tls.key`, which may appear later."""

    certificates: Path
    port: int = 8443
    health_port: int = 8081
    threads: int = 64


def serve(server: Server, settings: Settings) -> None:
    """Serve until SIGTERM, then finish what has begun. Does not return: gunicorn ends the process."""
    telemetry = Telemetry()
    certificate = Certificate(server.certificates, PATIENCE)
    app = create_app(settings, telemetry.observe)

    def waits() -> str:
        return "" if certificate.loaded else "waiting for the certificate"

    def started(_worker: object) -> None:
        Health(server.health_port, waits, telemetry.exposition).start()

    Embedded(app, options(server, certificate, started)).run()


def options(server: Server, certificate: Certificate, started: Callable[[object], None]) -> dict[str, Any]:
    """gunicorn's settings. `started` is called in the worker before it serves."""
    host = "[::]" if socket.has_dualstack_ipv6() else "0.0.0.0"
    return {
        "bind": f"{host}:{server.port}",
        "worker_class": Worker,
        "workers": 1,  # more would each have their own metrics; replicas are how this scales
        "threads": server.threads,
        "timeout": 30,
        "graceful_timeout": 20,
        "keepalive": 120,  # the API server keeps idle connections for 90 s, and must be the one that closes
        "worker_tmp_dir": "/dev/shm",
        "control_socket_disable": True,  # it would be written to the home directory, which is read-only
        "limit_request_line": 1024,
        "limit_request_fields": 32,
        "limit_request_field_size": 8190,
        "certfile": os.devnull,  # says that there is TLS; the context below brings the certificate
        "ssl_context": lambda _config, _default: certificate.context(),
        "post_worker_init": started,
    }


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn's threads, which give none to a peer that is silent, and repeat to nobody what a bad request said."""

    def handle(self, conn: TConn) -> object:
        """One request of a connection, in a thread, and those that follow at once."""
        if not conn.initialized:
            if not conn.wait_for_data(0):
                return _DEFER
            if conn.sock.recv(1, socket.MSG_PEEK) not in (TLS_HANDSHAKE, b""):
                self.handle_error(None, conn.sock, conn.client, PlainText())
                return False
        again = super().handle(conn)
        while again is True and self.alive and _asks_again(conn):
            again = super().handle(conn)
        return again

    def murder_pending(self) -> None:
        """Who has not yet said anything is not waited for as long as who may ask again."""
        soon = time.monotonic() + PATIENCE.request
        for conn in self.pending_conns:
            conn.timeout = min(conn.timeout, soon)
        super().murder_pending()

    def handle_error(self, _request: object, client: socket.socket, address: tuple[str, int], error: Exception) -> None:
        """Answer what never became a request of the application."""
        if isinstance(error, ssl.SSLError):  # there is no way to answer
            self.log.warning("no TLS 1.3 with %s: %s", address[0], error.reason)
            return
        status, complaint = next((found[1:] for found in COMPLAINTS if isinstance(error, found[0])), (500, ""))
        said = complaint or f"{type(error).__name__} at {place(error)}, please report it"
        self.log.log(logging.WARNING if complaint else logging.ERROR, "a request of %s: %s", address[0], said)
        body = json.dumps({"error": complaint or "internal error"})
        head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nConnection: close\r\nContent-Type: application/json"
        with suppress(OSError):
            client.sendall(f"{head}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())


def _asks_again(conn: TConn) -> bool:
    """Whether the next request comes soon: it is spared the way through the one poller, a quarter of its time."""
    if conn.parser.unreader.buf.getvalue() or conn.sock.pending():
        return True
    waiting = select.poll()
    waiting.register(conn.sock, select.POLLIN)
    return bool(waiting.poll(LINGER))


class Embedded(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn with a finished application and settings from code: no command line, no configuration file."""

    def __init__(self, app: Flask, settings: dict[str, Any]) -> None:
        self._app, self._settings = app, settings
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self._app
