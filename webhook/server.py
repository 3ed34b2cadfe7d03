"""gunicorn around the application: its settings, the certificate, and the port for probes."""

import logging
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from webhook.app import create_app
from webhook.certificate import Certificate
from webhook.decision import Settings
from webhook.health import Health
from webhook.telemetry import Telemetry
from webhook.worker import PATIENCE, Worker


@dataclass(frozen=True, slots=True)
class Server:
    """Where and how to serve. `certificates`: the directory of `tls.crt` and `tls.key`, which may appear later."""

    certificates: Path
    port: int = 8443
    health_port: int = 8081
    threads: int = 64
    version: str = ""


def serve(server: Server, settings: Settings) -> None:
    """Serve until SIGTERM, then finish what has begun. Does not return: gunicorn ends the process."""
    telemetry = Telemetry(server.version)
    certificate = Certificate(server.certificates, PATIENCE)
    app = create_app(settings, telemetry.observe)
    telemetry.follow(app)

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
        "worker_connections": 800,  # fewer than the 1024 files that a process may have open nearly everywhere
        "timeout": 30,
        "graceful_timeout": 30,  # longer than LAST_WORDS
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


class Joined(Logger):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn's own lines, in the form and at the level of all others."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True
        self.error_log.setLevel(logging.NOTSET)


class Embedded(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn with a finished application and settings from code: no command line, no configuration file."""

    def __init__(self, app: Flask, settings: dict[str, Any]) -> None:
        self._app, self._settings = app, settings
        super().__init__()

    def load_config(self) -> None:
        for name, value in {"logger_class": Joined, **self._settings}.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self._app
