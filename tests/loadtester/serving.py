"""The application without a server around it; the programs are real."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from loadtester.app import create_app
from loadtester.gates import InMemory
from loadtester.programs import Programs
from loadtester.runner import AT_ONCE, TIMEOUT, Runner
from loadtester.tasks import Tasks
from loadtester.telemetry import Telemetry
from loadtester.token import Token
from tests.loadtester.processes import PROGRAMS

PODINFO = {"name": "podinfo", "namespace": "test"}


@contextmanager
def served(
    *,
    timeout: float = TIMEOUT,
    at_once: int = AT_ONCE,
    suites: Path | None = None,
    shell: bool = False,
    token: Path | None = None,
) -> Iterator[FlaskClient]:
    """A load tester, whose commands end with the block."""
    telemetry = Telemetry()
    runner = Runner(telemetry.count, timeout, at_once, grace=1.0)
    tasks = Tasks(Programs(PROGRAMS | {"not-installed"}, suites), runner, shell=shell)
    try:
        yield create_app(tasks, InMemory(most=2), telemetry, Token(token)).test_client()
    finally:
        runner.stop()


def post(client: FlaskClient, cmd: str, kind: str = "cmd", name: str = "podinfo", **metadata: str) -> TestResponse:
    """A task, as a webhook asks for it."""
    return client.post("/", json={**PODINFO, "name": name, "metadata": {"type": kind, "cmd": cmd, **metadata}})


def count(client: FlaskClient, event: str) -> int:
    """Of tasks of which this became."""
    for line in client.get("/metrics").text.splitlines():
        if line.startswith(f'detour_loadtester_tasks_total{{event="{event}"}} '):
            return int(line.split()[-1])
    raise AssertionError(event)


def counted(client: FlaskClient, event: str, number: int) -> bool:
    return count(client, event) == number
