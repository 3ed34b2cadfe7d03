"""Who makes room when there is none, and who may keep a thread: nobody has to for a crowd of others."""

import threading
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.webhook.attacks.keys import key_updates
from tests.webhook.serving import HOST, ask, ready
from webhook.gather import Incoming
from webhook.turns import MOST_WORK, Turns
from webhook.worker import PATIENCE, Worker

API_SERVER, CROWD = "10.0.0.1", "10.0.0.2"
TRIES = 3


def connection(peer: str, since: float, *, asks: bool = False) -> Any:
    """One that is at rest since then, or has begun to ask."""
    return SimpleNamespace(client=(peer, 1), timeout=since, incoming=Incoming(since) if asks else None)


def gone(kept: list[Any], pending: list[Any]) -> Any:
    """Who makes room."""
    found: list[Any] = []
    worker: Any = SimpleNamespace(keepalived_conns=deque(kept), pending_conns=deque(pending))
    worker._let_go = lambda conns, conn: found.append((conns.index(conn), conn))
    Worker._make_room(worker)
    return found[0][1] if found else None


def test_room_is_made_by_the_peer_with_most_connections_however_long_others_have_been_silent() -> None:
    oldest, *crowd = connection(API_SERVER, 1), connection(CROWD, 3), connection(CROWD, 2)
    assert gone([oldest, *crowd], [connection(API_SERVER, 9, asks=True)][:0]) is crowd[1]


def test_of_its_connections_the_one_that_came_to_nothing_goes_before_one_that_was_of_use() -> None:
    kept, asking = connection(CROWD, 1), connection(CROWD, 5, asks=True)
    assert gone([kept, connection(API_SERVER, 0)], [asking]) is asking


def test_a_new_connection_is_not_turned_away_for_a_crowd_that_keeps_its_own() -> None:
    crowd = [connection(CROWD, since) for since in (2, 3, 4)]
    assert gone(crowd, [connection(API_SERVER, 9, asks=True)]) is crowd[0]


def test_where_nobody_waits_nobody_goes() -> None:
    assert gone([], []) is None


def test_who_has_a_thread_work_for_long_is_told_once_and_who_has_it_wait_is_not() -> None:
    turns, over = Turns[str](), threading.Event()

    def work() -> None:
        with turns.of("busy"):
            while not over.is_set():
                pass

    def wait() -> None:
        with turns.of("idle"):
            over.wait()

    threads = [threading.Thread(target=each) for each in (work, wait)]
    for thread in threads:
        thread.start()
    deadline, found = time.monotonic() + 100 * MOST_WORK, list[str]()
    while not found and time.monotonic() < deadline:
        found = turns.too_long()
    time.sleep(MOST_WORK)
    again = turns.too_long()
    over.set()
    for thread in threads:
        thread.join()
    assert (found, again) == (["busy"], [])


def test_who_sends_nothing_but_new_keys_is_thrown_out_and_others_are_answered(tmp_path: Path) -> None:
    with ready(tmp_path) as server:
        for _ in range(TRIES):
            with suppress(TimeoutError):  # who is too slow to make enough of them is let go as anybody is
                assert key_updates(HOST, server.port, 6 * MOST_WORK, PATIENCE.request / 2)
                break
        else:
            pytest.skip("this machine is too busy to attack it")
        peer = server.connect()
        assert ask(peer)["allowed"] is True
        peer.close()
