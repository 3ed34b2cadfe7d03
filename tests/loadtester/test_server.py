"""The server as it is started in a pod."""

import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from click.testing import CliRunner

from detour.loadtester import command
from tests.loadtester.processes import alive, eventually, nap

HOST = "127.0.0.1"
SECONDS = nap()
IMPATIENT = """
import detour.loadtester
detour.loadtester.REQUEST = 0.5
detour.loadtester.command()
"""


@contextmanager
def serving(*python: str) -> Iterator[int]:
    """The port of a server that runs, until it is told to end."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = int(free.getsockname()[1])
    server = subprocess.Popen([sys.executable, *python, f"--port={port}", "--allow=sleep"], stderr=subprocess.DEVNULL)
    try:
        assert eventually(lambda: status(f"http://{HOST}:{port}/healthz") == 200, 20)
        yield port
    finally:
        server.terminate()
        assert server.wait(20) == 0


def status(url: str, body: bytes | None = None) -> int:
    try:
        with urllib.request.urlopen(url, body, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return 0


def test_it_runs_a_command_and_takes_it_with_it_when_it_ends() -> None:
    with serving("-m", "detour", "loadtester") as port:
        payload = b'{"name": "podinfo", "namespace": "test", "metadata": {"cmd": "%s"}}'
        assert status(f"http://{HOST}:{port}/", payload % f"sleep {SECONDS}".encode()) == 202
        assert status(f"http://{HOST}:{port}/", payload % b"echo x") == 403
        assert alive("sleep", SECONDS)
    assert not alive("sleep", SECONDS)


def test_peers_that_send_slowly_do_not_keep_it_from_answering() -> None:
    with serving("-c", IMPATIENT) as port, ExitStack() as peers:
        for _ in range(40):
            peer = peers.enter_context(socket.create_connection((HOST, port)))
            peer.sendall(b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n{")
        assert status(f"http://{HOST}:{port}/healthz") == 200


def test_a_shell_on_the_list_is_refused_at_the_start() -> None:
    found = CliRunner().invoke(command, ["--allow=hey", "--allow=bash"])
    assert found.exit_code == 2
    assert "bash runs any other program" in found.output
