"""The server as it is started in a pod."""

import os
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from analyzer import gates
from analyzer.addresses import Addresses
from analyzer.hooks import Gate, Kind
from analyzer.metrics.verdict import Check, Result
from detour.loadtester import SPARE, command
from tests.loadtester.api import Api
from tests.loadtester.processes import alive, eventually, nap

HOST = "127.0.0.1"
TASK = '{{"name": "podinfo", "namespace": "test", "metadata": {{"type": "{}", "cmd": "{}"}}}}'
CANARY = b'{"name": "podinfo", "namespace": "test"}'


@contextmanager
def serving(*arguments: str, kubeconfig: Path | None = None) -> Iterator[str]:
    """The address of a server that runs, until it is told to end."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = int(free.getsockname()[1])
    words = [sys.executable, "-m", "detour", "loadtester", f"--port={port}", "--allow=sleep", *arguments]
    environment = {**os.environ, "KUBECONFIG": str(kubeconfig)} if kubeconfig else None
    server = subprocess.Popen(words, stderr=subprocess.DEVNULL, env=environment)
    try:
        assert eventually(lambda: ask(f"http://{HOST}:{port}/healthz")[0] == 200, 20)
        yield f"http://{HOST}:{port}"
    finally:
        server.terminate()
        assert server.wait(20) == 0


def ask(url: str, body: bytes | str | None = None, seconds: float = 15) -> tuple[int, str]:
    """Status and words; 0 where there is no answer in time."""
    try:
        with urllib.request.urlopen(url, body.encode() if isinstance(body, str) else body, timeout=seconds) as answer:
            return int(answer.status), answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError as error:
        return 0, str(error)


def test_it_runs_a_command_and_takes_it_with_it_when_it_ends() -> None:
    seconds = nap()
    with serving() as url:
        assert ask(f"{url}/", TASK.format("cmd", f"sleep {seconds}"))[0] == 202
        assert ask(f"{url}/", TASK.format("cmd", "echo x"))[0] == 403
        assert alive("sleep", seconds)
    assert not alive("sleep", seconds)


def test_a_gate_that_was_opened_is_open_after_a_restart(tmp_path: Path) -> None:
    gates = "--gates-in=test/gates"
    with Api().serving(tmp_path / "kubeconfig"):
        with serving(gates, kubeconfig=tmp_path / "kubeconfig") as url:
            assert ask(f"{url}/gate/check", CANARY)[0] == 403
            assert ask(f"{url}/gate/open", CANARY)[0] == 202
        with serving(gates, kubeconfig=tmp_path / "kubeconfig") as url:
            assert ask(f"{url}/gate/check", CANARY) == (200, "Approved")
            assert ask(f"{url}/rollback/check", CANARY)[0] == 403


def test_a_gate_that_nobody_can_look_up_is_no_yes(tmp_path: Path) -> None:
    api, kubeconfig = Api(), tmp_path / "kubeconfig"
    with api.serving(kubeconfig), serving("--gates-in=test/gates", kubeconfig=kubeconfig) as url:
        assert ask(f"{url}/gate/open", CANARY)[0] == 202
        api.refuses = 500
        assert ask(f"{url}/gate/check", CANARY)[0] == 503


@pytest.mark.parametrize("sent", [b"", b"POST", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n{"])
def test_peers_that_send_slowly_or_nothing_do_not_keep_it_from_answering(sent: bytes) -> None:
    """Had its threads to wait for them in turns, each for as long as one is borne with, nobody would be answered."""
    with serving("--at-once=1") as url, ExitStack() as peers:
        port = int(url.rpartition(":")[2])
        for _ in range(10 * SPARE):
            peer = peers.enter_context(socket.create_connection((HOST, port)))
            peer.sendall(sent)
        for path, body, status in (("/healthz", None, 200), ("/gate/check", CANARY, 403), ("/gate/open", CANARY, 202)):
            assert ask(url + path, body)[0] == status


def test_a_peer_that_never_ends_its_request_is_let_go() -> None:
    with serving() as url, socket.create_connection((HOST, int(url.rpartition(":")[2]))) as peer:
        peer.settimeout(30)
        peer.sendall(b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n{")
        assert peer.recv(100).startswith(b"HTTP/1.1 408 ")


def test_callers_that_wait_leave_threads_for_gates_and_probes() -> None:
    seconds, answers = nap(), list[int]()
    with serving("--at-once=2") as url:
        body = TASK.format("test", f"sleep {seconds}")
        callers = [threading.Thread(target=lambda: answers.append(ask(f"{url}/", body)[0])) for _ in range(2 * SPARE)]
        for caller in callers:
            caller.start()
        assert eventually(lambda: len(answers) == 2 * SPARE - 2, 15)
        assert set(answers) == {429}
        assert ask(f"{url}/healthz")[0] == 200
        assert ask(f"{url}/gate/check", CANARY)[0] == 403
    for caller in callers:
        caller.join(15)
    assert answers[-2:] == [503, 503]  # the end of the server is no verdict on the canary


def test_who_hangs_up_is_no_longer_waited_for_and_finds_the_end_when_calling_again(tmp_path: Path) -> None:
    suite, runs = tmp_path / "suite", tmp_path / "runs"
    suite.write_text(f"#!/bin/sh\necho run >> {runs}\nsleep 2\necho not ok 1\nexit 1\n")
    suite.chmod(0o555)
    with serving("--at-once=1", f"--suites={tmp_path}") as url:
        assert ask(f"{url}/", TASK.format("test", "suite"), 0.5)[0] == 0
        assert eventually(lambda: "running 0" in ask(f"{url}/metrics")[1], 15)
        assert ask(f"{url}/", TASK.format("test", "suite"))[1].startswith("suite failed with status 1: not ok 1")
        assert ask(f"{url}/", TASK.format("test", "sleep 0"))[0] == 200  # nobody keeps the one place to wait in
    assert runs.read_text().count("run") == 1


def test_detours_own_gates_show_the_token_of_their_address_and_what_failed_in_the_suite(tmp_path: Path) -> None:
    token, suites = tmp_path / "token", tmp_path / "suites"
    token.write_text("hunter2")
    suites.mkdir()
    (suites / "suite").write_text('#!/bin/sh\necho ok 1 healthy; echo not ok 2 $1; test -z "$1"\n')
    (suites / "suite").chmod(0o555)
    canary = {"metadata": {"name": "podinfo", "namespace": "test"}}

    def called(url: str, cmd: str) -> Check:
        metadata = {"type": "test", "cmd": cmd}
        gate = Gate("acceptance", url, 15, Kind.PRE_ROLLOUT, metadata=metadata)
        return gates.call(gate, gates.payload(canary, "Progressing", "1", metadata), Addresses.allowing(HOST))

    with serving(f"--token-file={token}", f"--suites={suites}") as url:
        address = url.replace("//", "//detour:hunter2@")
        assert called(address, "suite").result is Result.PASSED
        failed = called(address, "suite version")
        assert failed.result is Result.FAILED
        told = "pre-rollout check acceptance failed suite failed with status 1: not ok 2 version"
        assert failed.text.startswith(told)
        assert "token is missing or wrong" in called(url, "suite").text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--allow=hey", "--allow=bash"], "bash runs whatever its caller says"),
        (["--allow=/bin/hey"], "give the bare name"),
        (["--gates-in=gates"], "'gates' is no NAMESPACE/NAME"),
        (["--at-once=0"], "at-once"),
    ],
)
def test_what_makes_no_sense_is_refused_at_the_start(arguments: list[str], said: str) -> None:
    found = CliRunner().invoke(command, arguments)
    assert found.exit_code == 2
    assert said in found.output
