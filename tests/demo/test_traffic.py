"""Requests against a real HTTP server that behaves in the ways that an Ingress may."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import urllib3

from detour.demo.figures import FAULT
from detour.demo.traffic import HOST, PATH, PER_SECOND, Traffic, ask

INFO = json.dumps({"hostname": "podinfo-7d9f-abcde", "version": "6.0.0"}).encode()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answers: tuple[tuple[int, bytes], ...] = ((200, INFO),)
    asked = 0
    seen: tuple[str, str] = ("", "")

    def do_GET(self) -> None:
        kind = type(self)
        status, body = kind.answers[min(kind.asked, len(kind.answers) - 1)]
        kind.asked += 1
        kind.seen = (self.path, self.headers["Host"])
        if status == 0:
            self.connection.close()
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(body)

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (OSError, ValueError):  # the connection that was cut on purpose
            self.close_connection = True

    def finish(self) -> None:
        try:
            super().finish()
        except (OSError, ValueError):
            self.close_connection = True

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    Handler.asked, Handler.answers = 0, ((200, INFO),)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def url(server: ThreadingHTTPServer) -> str:
    return f"http://127.0.0.1:{server.server_port}"


def test_podinfo_is_asked_by_its_ingress_host(server: ThreadingHTTPServer) -> None:
    with urllib3.connection_from_url(url(server)) as pool:
        answer = ask(pool, keep=True)
    assert answer.version == "6.0.0"
    assert Handler.seen == (PATH, HOST)


@pytest.mark.parametrize(("status", "failure"), [(0, "ProtocolError"), (503, "status 503"), (302, "status 302")])
def test_what_goes_wrong_is_counted_and_not_tried_again(server: ThreadingHTTPServer, status: int, failure: str) -> None:
    Handler.answers = ((status, b""), (200, INFO))
    with urllib3.connection_from_url(url(server)) as pool:
        assert ask(pool, keep=True).failure == failure
    assert Handler.asked == 1


def test_an_ingress_that_is_not_there_is_a_failed_request_too() -> None:
    with urllib3.connection_from_url("http://127.0.0.1:1") as pool:
        assert ask(pool, keep=False).failure == "NewConnectionError"


def test_the_first_good_answer_is_waited_for(server: ThreadingHTTPServer) -> None:
    Handler.answers = ((404, b""), (503, b""), (200, INFO))
    assert Traffic(url(server)).await_first(5.0) == ""
    assert Handler.asked == 3


def test_the_wait_for_the_first_answer_has_an_end(server: ThreadingHTTPServer) -> None:
    Handler.answers = ((404, b""),)
    assert Traffic(url(server)).await_first(0.1) == "status 404"


def test_the_account_agrees_with_what_the_server_got(server: ThreadingHTTPServer) -> None:
    Handler.answers = ((200, INFO), (500, FAULT), (502, b""), (200, INFO))
    traffic = Traffic(url(server))
    traffic.start()
    threading.Event().wait(1.0)
    tally = traffic.stop()
    assert tally.sent == Handler.asked == tally.good + 2
    assert (tally.faults, tally.failed) == (1, 1)
    assert 0.5 * PER_SECOND < tally.sent <= 1.1 * PER_SECOND
