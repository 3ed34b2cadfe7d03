"""The server as it is started in a pod."""

import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from detour.loadtester import command
from tests.loadtester.processes import alive, eventually, nap

SECONDS = nap()


@pytest.fixture(name="url")
def _url() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "detour", "loadtester", f"--port={port}", "--allow=sleep"]
    server = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        assert server.wait(20) == 0
        assert not alive("sleep", SECONDS)


def status(url: str, body: bytes | None = None) -> int:
    try:
        with urllib.request.urlopen(url, body, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return 0


def test_it_runs_a_command_and_takes_it_with_it_when_it_ends(url: str) -> None:
    assert eventually(lambda: status(f"{url}/healthz") == 200, 20)
    payload = b'{"name": "podinfo", "namespace": "test", "metadata": {"cmd": "%s"}}'
    assert status(f"{url}/", payload % f"sleep {SECONDS}".encode()) == 202
    assert status(f"{url}/", payload % b"echo x") == 403
    assert alive("sleep", SECONDS)


def test_a_shell_on_the_list_is_refused_at_the_start() -> None:
    found = CliRunner().invoke(command, ["--allow=hey", "--allow=bash"])
    assert found.exit_code == 2
    assert "bash runs any other program" in found.output
