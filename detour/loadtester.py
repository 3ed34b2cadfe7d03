"""`detour loadtester`: load and gates for analyses, put together. One process, since what it remembers is in memory."""

import logging
import shutil
import socket
import threading
from contextlib import suppress
from typing import Any

import click
from gunicorn.workers.gthread import TConn, ThreadWorker

from detour import logs
from loadtester.app import create_app
from loadtester.command import permissible
from loadtester.errors import Refused
from loadtester.gates import Gates
from loadtester.runner import AT_ONCE, TIMEOUT, Runner
from loadtester.telemetry import Telemetry
from webhook.server import Embedded

PROGRAMS = ("curl", "ghz", "grep", "grpc_health_probe", "hey", "jq", "wrk")

REQUEST = 10.0
"""Seconds that a request may take from its first byte to the end of its answer: commands run on without it."""

log = logging.getLogger(__name__)


@click.command("loadtester")
@click.option("--port", default=8080, show_default=True)
@click.option("--allow", multiple=True, default=PROGRAMS, show_default=True, help="the only programs run; repeat it")
@click.option(
    "--timeout", type=click.FloatRange(1, 86400), default=TIMEOUT, show_default=True, help="seconds a command"
)
@click.option("--at-once", type=click.IntRange(1, 1000), default=AT_ONCE, show_default=True, help="commands")
@logs.options
def command(port: int, allow: tuple[str, ...], timeout: float, at_once: int, log_level: str, log_format: str) -> None:
    """Run commands and keep gates for the webhooks of a Canary, as Flagger's load tester does, without a shell."""
    logs.configure(log_level, log_format)
    try:
        allowed = permissible(frozenset(allow))
    except Refused as error:
        raise click.BadParameter(str(error), param_hint="--allow") from error
    if missing := sorted(name for name in allowed if shutil.which(name) is None):
        log.warning("allowed, but not installed here: %s", ", ".join(missing))
    telemetry = Telemetry()
    runner = Runner(telemetry.count, timeout, at_once)
    Embedded(create_app(allowed, runner, Gates(), telemetry), options(port, runner)).run()


def options(port: int, runner: Runner) -> dict[str, Any]:
    """gunicorn's settings."""
    host = "[::]" if socket.has_dualstack_ipv6() else "0.0.0.0"
    return {
        "bind": f"{host}:{port}",
        "worker_class": Punctual,
        "workers": 1,
        "threads": 16,
        "timeout": 30,
        "graceful_timeout": 20,  # stopping what runs takes up to two periods of grace
        "keepalive": 15,
        "worker_tmp_dir": "/dev/shm",
        "control_socket_disable": True,
        "limit_request_line": 1024,
        "limit_request_fields": 32,
        "worker_exit": lambda _arbiter, _worker: runner.stop(),
    }


class Punctual(ThreadWorker):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn's threads, none of which a peer can keep by sending, or reading, slowly."""

    def handle(self, conn: TConn) -> object:
        """One request of a connection, in a thread. Whatever waits for the peer after the deadline finds it gone."""
        deadline = threading.Timer(REQUEST, _hang_up, (conn.sock,))
        deadline.daemon = True
        deadline.start()
        try:
            return super().handle(conn)
        finally:
            deadline.cancel()


def _hang_up(peer: socket.socket) -> None:
    with suppress(OSError):  # it has gone by itself
        peer.shutdown(socket.SHUT_RDWR)
