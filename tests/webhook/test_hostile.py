"""Whoever reaches the ports: meanwhile every proper review and every probe is answered, and memory is bounded.

How fast they are answered is for `python -m tests.faults` to tell: a machine that tests is a busy one.
"""

import os
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.webhook.attacks import ATTACKS, PLAIN_ATTACKS, under
from tests.webhook.serving import HOST, Running, ask, ready

MOST_MEMORY = 400  # MiB; the pod may have 1024
MOST_THREADS = 80  # of which 64 are for requests
ALONE, TOGETHER = 0.4, 3.0  # seconds


@pytest.fixture(name="server", scope="module")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with ready(tmp_path_factory.mktemp("tls")) as found:
        yield found
    assert "Traceback" not in found.log
    assert "please report it" not in found.log


@pytest.mark.parametrize("name", ATTACKS)
def test_under_attack_reviews_are_answered(server: Running, name: str) -> None:
    with under("tls", [name], HOST, server.port, 30):
        holds_out(server, ALONE)


@pytest.mark.parametrize("name", PLAIN_ATTACKS)
def test_under_attack_probes_are_answered(server: Running, name: str) -> None:
    with under("plain", [name], HOST, server.health_port, 30):
        holds_out(server, ALONE)


def test_all_attacks_together_leave_it_answering(server: Running) -> None:
    with under("tls", [], HOST, server.port, 60) as made, under("plain", [], HOST, server.health_port, 60):
        holds_out(server, TOGETHER)
    assert made.keys() == ATTACKS.keys()
    assert min(made.values()) > 0


def holds_out(server: Running, seconds: float) -> None:
    """For as long: on new connections and on one that is kept, reviews are answered, and probes are."""
    worker, until = worker_of(server), time.monotonic() + seconds
    with closing(server.connect()) as kept:
        while time.monotonic() < until:
            with closing(server.connect()) as another:
                assert ask(another)["allowed"] is True
            assert ask(kept)["allowed"] is True
            assert server.health("/healthz") == (200, "ok\n")
            assert server.health("/readyz") == (200, "ok\n")
            assert memory(worker) < MOST_MEMORY
            assert len(os.listdir(f"/proc/{worker}/task")) < MOST_THREADS
    assert worker_of(server) == worker, "it was started again"


def worker_of(server: Running) -> int:
    """The process that serves, a child of the one that was started."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    return int(children[-1])


def memory(process: int) -> int:
    """MiB of resident memory."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) // 1024
