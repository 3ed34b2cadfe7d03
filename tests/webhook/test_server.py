"""The server for real: processes, sockets, certificates."""

import json
import os
import signal
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER

from detour import logs
from tests.webhook.serving import HOST, Running, ask, eventually, ready, write_certificate


@pytest.fixture(name="running", scope="module")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with ready(tmp_path_factory.mktemp("tls")) as found:
        yield found


@pytest.fixture(name="bare")
def _bare(tmp_path: Path) -> Iterator[Running]:
    """Without a certificate."""
    found = Running(tmp_path)
    yield found
    found.stop()


def test_it_is_alive_but_not_ready_before_there_is_a_certificate(bare: Running) -> None:
    eventually(lambda: bare.health("/healthz")[0] == 200)
    assert bare.health("/readyz") == (503, "waiting for the certificate\n")
    assert bare.name() == ""


def test_it_serves_as_soon_as_there_is_one(bare: Running) -> None:
    eventually(lambda: bare.health("/readyz")[0] == 503)
    write_certificate(bare.directory, "first")
    eventually(lambda: bare.health("/readyz")[0] == 200)
    connection = bare.connect()
    assert ask(connection)["allowed"] is True
    assert isinstance(connection.sock, ssl.SSLSocket)
    assert connection.sock.version() == "TLSv1.3"
    first = connection.sock
    assert ask(connection)["patchType"] == "JSONPatch"
    assert connection.sock is first, "the connection is kept alive"
    connection.close()


def test_it_counts_what_it_decides(tmp_path: Path) -> None:
    with ready(tmp_path) as running, closing(running.connect()) as connection:
        for _ in range(2):
            ask(connection)
        metrics = running.health("/metrics")[1]
    assert 'detour_webhook_decisions_total{decision="diverted",dry_run="false"} 2.0' in metrics
    assert 'detour_webhook_duration_seconds_count{decision="diverted"} 2.0' in metrics
    assert 'detour_webhook_responses_total{code="200"} 2.0' in metrics
    assert "detour_webhook_reviews_in_progress 0.0" in metrics


def test_as_json_every_line_of_the_log_is_an_object_gunicorns_own_included(tmp_path: Path) -> None:
    with ready(tmp_path, logs.JSON) as running, closing(running.connect()) as connection:
        ask(connection)
    lines = [json.loads(line) for line in running.log.splitlines()]
    assert {"gunicorn.error", "webhook.app"} <= {line["logger"] for line in lines}
    (told,) = (line for line in lines if line["message"] == "reviewed")
    assert told["decision"] == "diverted"


def test_a_new_certificate_is_picked_up_and_old_connections_live_on(running: Running) -> None:
    write_certificate(running.directory, "first")
    assert running.name() == "first"
    old = running.connect()
    ask(old)
    write_certificate(running.directory, "second")
    assert running.name() == "second"
    assert ask(old)["allowed"] is True
    old.close()


def test_a_broken_certificate_changes_nothing(running: Running) -> None:
    write_certificate(running.directory, "second")
    assert running.name() == "second"
    (running.directory / "tls.crt").write_text("nonsense")
    assert running.name() == "second"
    assert running.health("/readyz")[0] == 200
    write_certificate(running.directory, "third")
    assert running.name() == "third"


def test_silent_peers_do_not_keep_it_from_answering(running: Running) -> None:
    silent = [socket.create_connection((HOST, running.port)) for _ in range(20)]
    for peer in silent:
        peer.send(b"\x16")  # the first byte of a handshake that never goes on
    connection = running.connect()
    assert ask(connection)["allowed"] is True
    connection.close()
    for peer in silent:
        peer.close()


def test_peers_that_stop_within_a_request_do_not_keep_it_from_answering(running: Running) -> None:
    stuck = [running.connect() for _ in range(20)]
    for peer in stuck:
        ask(peer)
        assert peer.sock is not None
        peer.sock.sendall(b"POST /div")  # on a connection that was kept alive
    connection = running.connect()
    assert ask(connection)["allowed"] is True
    for peer in [connection, *stuck]:
        peer.close()


def test_it_finishes_and_goes_when_it_is_told_to(bare: Running) -> None:
    eventually(lambda: bare.health("/healthz")[0] == 200)
    assert bare.stop() == 0


def test_when_it_goes_it_still_answers_on_connections_that_were_kept_and_says_good_bye(tmp_path: Path) -> None:
    """What the API server sends while it has not yet noticed must not be refused: it is sent once."""
    running = Running(tmp_path)
    write_certificate(running.directory, "webhook")
    eventually(lambda: running.health("/readyz")[0] == 200)
    kept = running.connect()
    ask(kept)
    assert running.process.pid
    os.kill(running.process.pid, signal.SIGTERM)
    time.sleep(STOP_KEEPALIVE_LINGER + 1)
    assert ask(kept)["allowed"] is True
    assert kept.sock is None, "the answer said Connection: close"
    assert running.stop() == 0
