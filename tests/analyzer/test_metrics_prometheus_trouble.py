"""The Prometheus provider, where Prometheus is in trouble: deadlines, broken connections, and answers of others."""

import json
import socket
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler as Handler

import pytest

from analyzer.metrics.provider import Series, Unreachable
from tests.analyzer.mock_prometheus import Ask, Mock, Prometheus, send, vector


@pytest.mark.parametrize(
    ("status", "problem"),
    [
        (500, "answers 500 it broke; check spec.provider.address"),
        (503, "answers 503 it broke"),
        (404, "answers 404"),
        (401, r"refuses us \(401\); check the Secret of spec.provider.secretRef"),
        (403, r"refuses us \(403\)"),
    ],
)
def test_a_server_in_trouble_is_unreachable_and_asked_once(mock: Mock, ask: Ask, status: int, problem: str) -> None:
    mock.answers(status=status, errorType="timeout", error="it broke")
    with pytest.raises(Unreachable, match=problem):
        ask()
    assert len(mock.asked) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"<html>hello, secret</html>",
        b"[]",
        b'{"status":"success"}',
        b'{"status":"success","data":{"resultType":"vector","result":[{"value":["secret"]}]}}',
        b'{"status":"success","data":{"resultType":"vector","result":[7]}}',
        b'{"status":"success","data":{"resultType":"scalar","result":[0,"secret"]}}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_prometheus_is_unreachable_and_never_quoted(mock: Mock, ask: Ask, body: bytes) -> None:
    mock.behaviour = lambda handler: send(handler, 200, body)
    with pytest.raises(Unreachable, match="answers, but not as Prometheus does") as error:
        ask()
    assert "secret" not in str(error.value)


def test_a_busy_server_is_not_waited_for_however_long_it_asks_for(mock: Mock, ask: Ask) -> None:
    mock.behaviour = lambda handler: send(handler, 503, b"", **{"Retry-After": "60"})
    with pytest.raises(Unreachable, match="answers 503"):
        ask()


def test_a_silent_server_is_given_up_after_the_deadline_and_not_asked_again(mock: Mock, ask: Ask) -> None:
    given_up = threading.Event()

    def silent(_: Handler) -> None:
        given_up.wait(10)

    mock.behaviour = silent
    with pytest.raises(Unreachable, match="no answer in time"):
        ask(timeout=0.1)
    given_up.set()
    assert len(mock.asked) == 1


def test_a_trickle_is_given_up_after_the_deadline(mock: Mock, ask: Ask) -> None:
    def trickle(handler: Handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(100):
            handler.wfile.write(b" ")
            time.sleep(0.02)

    mock.behaviour = trickle
    with pytest.raises(Unreachable, match="no answer in time"):
        ask(timeout=0.2)


def test_a_head_that_trickles_is_given_up_after_the_deadline_and_its_connection_ended(mock: Mock, ask: Ask) -> None:
    ended = threading.Event()

    def trickle(handler: Handler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        with suppress(OSError):
            for number in range(1000):
                handler.wfile.write(b"X-Slow-%d: 1\r\n" % number)
                time.sleep(0.05)
        ended.set()

    mock.behaviour = trickle
    with pytest.raises(Unreachable, match="no answer in time"):
        ask(timeout=0.3)
    assert ended.wait(5)
    assert len(mock.asked) == 1


def test_a_body_that_stops_halfway_is_given_up_after_the_deadline(mock: Mock, ask: Ask) -> None:
    def half(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b'{"status":"success","data":')
        time.sleep(2)

    mock.behaviour = half
    with pytest.raises(Unreachable, match="no answer in time"):
        ask(timeout=0.3)


def test_a_handshake_that_nobody_answers_is_given_up_after_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        provider = Prometheus(f"https://127.0.0.1:{silent.getsockname()[1]}", timeout=0.3)
        with pytest.raises(Unreachable, match="no answer in time"):
            provider.query("up")
        provider.close()


def test_each_query_has_the_whole_time(mock: Mock) -> None:
    mock.answers(vector("1"))
    provider = Prometheus(mock.address, timeout=0.5)
    for _ in range(3):
        assert provider.query("up").series
        time.sleep(0.3)
    provider.close()


def test_a_dropped_connection_is_tried_again(mock: Mock, ask: Ask) -> None:
    def drop_the_first(handler: Handler) -> None:
        if len(mock.asked) == 1:
            handler.connection.close()
        else:
            send(handler, 200, json.dumps({"status": "success", "data": vector("1")}).encode())

    mock.behaviour = drop_the_first
    assert ask().series == (Series("{}", 1),)
    assert len(mock.asked) == 2


def test_a_connection_that_is_dropped_every_time_is_given_up(mock: Mock, ask: Ask) -> None:
    mock.behaviour = lambda handler: handler.connection.close()
    with pytest.raises(Unreachable, match=r"Remote end closed connection|reset"):
        ask()
    assert len(mock.asked) == 3


def test_nobody_there_is_unreachable_with_the_reason(ask: Ask, mock: Mock) -> None:
    mock.address = "http://127.0.0.1:1"
    with pytest.raises(Unreachable, match=r"http://127\.0\.0\.1:1: Connection refused; check spec\.provider\.address"):
        ask()
