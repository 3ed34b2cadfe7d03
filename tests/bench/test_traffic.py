"""The generator against a real server: its schedule, its connections, and that nothing is left out or tried again."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.bench.answers import Answer
from tests.bench.traffic import Traffic

PATIENCE = 8.0  # seconds, less than the generator's own
INFO = json.dumps({"hostname": "podinfo-7d9f-abcde", "version": "6.0.0", "message": "shop"}).encode()


class Server(ThreadingHTTPServer):
    """Answers in turn as `script` says: a status, 0 to cut the connection, or -1 for 200 when `count` have asked."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, script: tuple[int, ...]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script = script
        self.asked: list[str] = []
        self.connections: set[tuple[str, int]] = set()
        self.count, self.all_asked = 0, threading.Event()
        self.lock = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        with self.server.lock:
            self.server.asked.append(self.path)
            self.server.connections.add(self.client_address)
            if len(self.server.asked) == self.server.count:
                self.server.all_asked.set()
        status = self.server.script[int(self.path.partition("?n=")[2]) % len(self.server.script)]
        if status == 0:
            self.close_connection = True
            return
        if status < 0:
            status = 200 if self.server.all_asked.wait(PATIENCE) else 504
        self.send_response(status)
        self.send_header("Content-Length", str(len(INFO)))
        self.end_headers()
        self.wfile.write(INFO)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server((200,)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def account(server: Server, rate: float, count: int, script: tuple[int, ...] = (200,)) -> list[Answer]:
    server.script, server.count = script, count
    with closing(Traffic("shop.example.com", "shop", rate, count, ("127.0.0.1", server.server_port))) as traffic:
        traffic.start()
        return traffic.join()


def test_every_request_is_sent_once_and_accounted_for(server: Server) -> None:
    answers = account(server, 400, 80, (200, 503, 0, 302))
    assert sorted(server.asked) == sorted(f"/api/info?n={number}" for number in range(80))
    assert [answer.number for answer in answers] == list(range(80))
    failures = [answer.failure for answer in answers]
    assert failures == ["", "status 503", "cut off", "status 302"] * 20


def test_half_of_the_requests_share_kept_connections(server: Server) -> None:
    account(server, 100, 40)
    assert 20 < len(server.connections) < 35


def test_a_slow_answer_delays_no_other_request(server: Server) -> None:
    """Or not all would have asked by the time that the slow ones need an answer."""
    answers = account(server, 200, 40, (-1, 200, 200, 200))
    assert [answer.failure for answer in answers] == [""] * 40


def test_it_ends_early_when_it_is_told_to(server: Server) -> None:
    with closing(Traffic("shop.example.com", "shop", 50, 10_000, ("127.0.0.1", server.server_port))) as traffic:
        traffic.start()
        time.sleep(0.2)
        assert 0 < len(traffic.stop()) < 500


def test_nobody_listening_is_a_failure_of_each_request() -> None:
    with closing(Traffic("shop.example.com", "shop", 200, 4, ("127.0.0.1", 1))) as traffic:
        traffic.start()
        assert [answer.failure for answer in traffic.join()] == ["ConnectionRefusedError"] * 4
