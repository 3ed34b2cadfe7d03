"""`detour loadtester`: load and gates for analyses, put together. One process, since what runs is known to it alone."""

import logging
import os
import shutil
import signal
import socket
import threading
from pathlib import Path
from typing import Any

import click

from analyzer.kube.client import Client
from analyzer.kube.errors import NoCluster
from detour import logs
from detour.kept_gates import KeptGates
from detour.plain import PlainWorker
from loadtester.app import create_app
from loadtester.errors import Refused
from loadtester.gates import Gates, InMemory
from loadtester.programs import Programs, checked
from loadtester.runner import AT_ONCE, TIMEOUT, Runner
from loadtester.tasks import Tasks
from loadtester.telemetry import Telemetry
from loadtester.token import Token
from webhook.server import Embedded

PROGRAMS = ("curl", "ghz", "grep", "grpc_health_probe", "hey", "jq", "wrk")

SPARE = 16
"""Threads that never wait for a command: for gates, for what is started and not waited for, and for probes."""

log = logging.getLogger(__name__)


@click.command("loadtester")
@click.option("--port", default=8080, show_default=True)
@click.option("--allow", multiple=True, default=PROGRAMS, show_default=True, help="the only programs run; repeat it")
@click.option(
    "--suites",
    type=click.Path(file_okay=False, path_type=Path),
    help="a directory of executables of yours, which callers may run by their names, too",
)
@click.option("--bash", is_flag=True, help="run tasks of type bash: who reaches the port has a shell in this pod")
@click.option(
    "--token-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="let in only who shows a token that is a line of this file",
)
@click.option("--gates-in", metavar="NAMESPACE/NAME", help="the ConfigMap that keeps gates; in memory without it")
@click.option(
    "--timeout", type=click.FloatRange(1, 86400), default=TIMEOUT, show_default=True, help="seconds a command"
)
@click.option("--at-once", type=click.IntRange(1, 1000), default=AT_ONCE, show_default=True, help="commands")
@logs.options
def command(
    port: int,
    allow: tuple[str, ...],
    suites: Path | None,
    bash: bool,
    token_file: Path | None,
    gates_in: str | None,
    timeout: float,
    at_once: int,
    log_level: str,
    log_format: str,
) -> None:
    """Run commands and keep gates for the webhooks of a Canary, as Flagger's load tester does, without a shell."""
    logs.configure(log_level, log_format)
    if bash and not token_file:
        log.warning("--bash without --token-file: whoever reaches port %d has a shell in this pod", port)
    telemetry = Telemetry()
    runner = Runner(telemetry.count, timeout, at_once)
    tasks = Tasks(Programs(_allowed(allow), suites), runner, shell=bash)
    app = create_app(tasks, _gates(gates_in), telemetry, Token(token_file))
    Embedded(app, options(port, runner, at_once + SPARE)).run()


def _allowed(names: tuple[str, ...]) -> frozenset[str]:
    try:
        allowed = checked(frozenset(names))
    except Refused as error:
        raise click.BadParameter(str(error), param_hint="--allow") from error
    if missing := sorted(name for name in allowed if shutil.which(name) is None):
        log.warning("allowed, but not installed here: %s", ", ".join(missing))
    return allowed


def _gates(place: str | None) -> Gates:
    if place is None:
        log.warning("without --gates-in, gates are closed again whenever this process ends")
        return InMemory()
    namespace, slash, name = place.partition("/")
    if not (namespace and slash and name):
        raise click.BadParameter(f"{place!r} is no NAMESPACE/NAME of a ConfigMap", param_hint="--gates-in")
    try:
        return KeptGates(Client.connect(os.environ.get("KUBECONFIG")), namespace, name)
    except NoCluster as error:
        raise click.UsageError(f"--gates-in needs a cluster: {error}; run it in a pod, or set KUBECONFIG") from error


def options(port: int, runner: Runner, threads: int) -> dict[str, Any]:
    """gunicorn's settings."""
    host = "[::]" if socket.has_dualstack_ipv6() else "0.0.0.0"
    return {
        "bind": f"{host}:{port}",
        "worker_class": type("Stopping", (_Stopping,), {"runner": runner}),
        "workers": 1,
        "threads": threads,
        "worker_connections": threads + 800,
        "timeout": 30,
        "graceful_timeout": 20,  # stopping what runs takes up to two periods of grace
        "keepalive": 0,
        "worker_tmp_dir": "/dev/shm",
        "control_socket_disable": True,
        "limit_request_line": 1024,
        "limit_request_fields": 32,
    }


class _Stopping(PlainWorker):
    """Whoever waits for a command is answered before the server ends: the commands end first."""

    runner: Runner

    def handle_exit(self, sig: signal.Signals, frame: object) -> None:
        """At SIGTERM. A signal's handler must not wait."""
        threading.Thread(target=self.runner.stop).start()
        super().handle_exit(sig, frame)
