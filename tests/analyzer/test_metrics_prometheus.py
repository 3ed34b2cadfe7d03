"""The Prometheus provider, against a server that only pretends: it speaks the API's words, and breaks off on request.

What a real Prometheus answers is tested on the cluster.
"""

import base64
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler as Handler
from pathlib import Path
from typing import Any

import pytest

from analyzer.fields import SpecError
from analyzer.metrics import prometheus
from analyzer.metrics.provider import Sample, Series, Unreachable, WrongQuery
from certs.authority import issue_ca, issue_serving
from tests.analyzer.mock_prometheus import LOOPBACK, Mock, pretending, send

Ask = Callable[..., Sample]

Prometheus = partial(prometheus.Prometheus, addresses=LOOPBACK)


@pytest.fixture
def mock() -> Iterator[Mock]:
    with pretending() as found:
        yield found


@pytest.fixture
def ask(mock: Mock) -> Iterator[Ask]:
    opened: list[prometheus.Prometheus] = []

    def ask(query: str = "up", **options: Any) -> Sample:
        opened.append(Prometheus(mock.address, **options))
        return opened[-1].query(query)

    yield ask
    for provider in opened:
        provider.close()


def vector(*values: str, **labels: str) -> dict[str, Any]:
    return {"resultType": "vector", "result": [{"metric": labels, "value": [1.5, value]} for value in values]}


@pytest.mark.parametrize(
    ("data", "series"),
    [
        (vector("12.5"), (Series("{}", 12.5),)),
        (vector("1", __name__="up", pod='a"b'), (Series('up{pod="a\\"b"}', 1),)),
        (vector("1", "2"), (Series("{}", 1), Series("{}", 2))),
        (vector("+Inf"), (Series("{}", float("inf")),)),
        (vector(), ()),
        ({"resultType": "scalar", "result": [1.5, "7"]}, (Series("", 7),)),
    ],
)
def test_every_kind_of_answer_is_told_apart(mock: Mock, ask: Ask, data: Any, series: tuple[Series, ...]) -> None:
    mock.answers(data)
    assert ask().series == series


def test_nan_is_a_series_without_a_number(mock: Mock, ask: Ask) -> None:
    mock.answers(vector("NaN"))
    (series,) = ask().series
    assert not series.measured


def test_warnings_are_not_lost(mock: Mock, ask: Ask) -> None:
    mock.answers(vector("1"), warnings=["partial response"], infos=["not a counter"])
    assert ask().warnings == ("partial response", "not a counter")


def test_a_query_goes_out_as_it_is_to_the_path_below_the_address(mock: Mock, ask: Ask) -> None:
    mock.answers(vector("1"))
    mock.address += "/prefix/"
    ask('sum(rate(x{a="b&c=d"}[1m])) > 0')
    assert mock.asked[0][:3] == ("GET", "/prefix/api/v1/query", 'sum(rate(x{a="b&c=d"}[1m])) > 0')


def test_a_very_long_query_is_posted(mock: Mock, ask: Ask) -> None:
    mock.answers(vector("1"))
    long = "up or " * 2000 + "up"
    ask(long)
    assert mock.asked[0][:3] == ("POST", "/api/v1/query", long)


def test_credentials_take_the_place_of_those_in_the_headers(mock: Mock, ask: Ask) -> None:
    mock.answers(vector("1"))
    ask(token="t0ken", headers={"Authorization": "Basic old", "X-Scope-OrgID": "shop"})
    ask(basic=("ann", "pa:ss"))
    sent = [headers for *_, headers in mock.asked]
    assert (sent[0]["Authorization"], sent[0]["X-Scope-OrgID"]) == ("Bearer t0ken", "shop")
    assert sent[1]["Authorization"] == "Basic " + base64.b64encode(b"ann:pa:ss").decode()


def test_names_and_passwords_of_every_script_are_sent(mock: Mock, ask: Ask) -> None:
    mock.answers(vector("1"))
    ask(basic=("zoë", "пароль"))
    assert mock.asked[0][3]["Authorization"] == "Basic " + base64.b64encode("zoë:пароль".encode()).decode()


@pytest.mark.parametrize("value", ["a\r\nX-Other: b", "…"])
def test_headers_that_cannot_be_sent_are_named(ask: Ask, value: str) -> None:
    with pytest.raises(Unreachable, match=r"check spec\.provider\.headers"):
        ask(headers={"X-Scope-OrgID": value})


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_a_certificate_is_verified_unless_the_template_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = issue_serving(issue_ca(datetime.now(UTC)), ["p.example"], datetime.now(UTC))
    (tmp_path / "pair.pem").write_bytes(pair.key + pair.certificate)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "pair.pem"))
    with pretending(tmp_path / "pair.pem") as mock:
        mock.answers(vector("1"))
        strict, lenient = Prometheus(mock.address), Prometheus(mock.address, verify=False)
        with pytest.raises(Unreachable, match="certificate verify failed"):
            strict.query("up")
        assert lenient.query("up").series == (Series("{}", 1),)
        strict.close()
        lenient.close()


@pytest.mark.parametrize(("status", "kind"), [(400, "bad_data"), (422, "execution")])
def test_a_wrong_query_is_the_users_to_mend_and_prometheus_says_where(
    mock: Mock, ask: Ask, status: int, kind: str
) -> None:
    mock.answers(status=status, errorType=kind, error="1:4: parse error: unexpected end of input")
    with pytest.raises(WrongQuery, match=r"Prometheus says: 1:4: parse error.*; correct spec\.query"):
        ask()
    assert len(mock.asked) == 1


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"resultType": "matrix", "result": []}, "spec.query yields a matrix; make it an instant vector"),
        ({"resultType": "string", "result": [1, "x"]}, "spec.query yields a string"),
        ({"resultType": "vector", "result": [{"metric": {}, "histogram": [1, {}]}]}, "spec.query yields histograms"),
    ],
)
def test_an_answer_without_numbers_is_a_wrong_query(mock: Mock, ask: Ask, data: Any, problem: str) -> None:
    mock.answers(data)
    with pytest.raises(WrongQuery, match=problem):
        ask()


def test_an_answer_without_end_is_a_wrong_query(mock: Mock, ask: Ask) -> None:
    mock.answers(vector(*["1"] * 60_000))
    with pytest.raises(WrongQuery, match="larger than 1 MiB"):
        ask()


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


def test_redirects_are_not_followed(mock: Mock, ask: Ask) -> None:
    mock.behaviour = lambda handler: send(handler, 302, b"", Location=f"{mock.address}/elsewhere")
    with pytest.raises(Unreachable, match="redirects; put the address where it leads"):
        ask()
    assert len(mock.asked) == 1


def test_a_busy_server_is_not_waited_for_however_long_it_asks_for(mock: Mock, ask: Ask) -> None:
    mock.behaviour = lambda handler: send(handler, 503, b"", **{"Retry-After": "60"})
    with pytest.raises(Unreachable, match="answers 503"):
        ask()


def test_a_silent_server_is_given_up_after_the_deadline_and_not_asked_again(mock: Mock, ask: Ask) -> None:
    mock.behaviour = lambda _: time.sleep(0.5)
    began = time.monotonic()
    with pytest.raises(Unreachable, match="no answer in time"):
        ask(timeout=0.1)
    assert time.monotonic() - began < 0.4
    assert len(mock.asked) == 1


def test_a_trickle_is_given_up_after_the_deadline(mock: Mock, ask: Ask) -> None:
    def trickle(handler: Handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(100):
            handler.wfile.write(b" ")
            time.sleep(0.02)

    mock.behaviour = trickle
    began = time.monotonic()
    with pytest.raises(Unreachable, match="no answer in time"):
        ask(timeout=0.2)
    assert time.monotonic() - began < 1


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


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("", "'' is no http or https address"),
        ("prometheus:9090", "is no http or https address"),
        ("file:///etc/passwd", "is no http or https address"),
        ("http:///path", "is no http or https address"),
        ("http://:secret@p", "it shows a password to all"),
        ("http://ann@p", "it shows a password to all"),
        ("http://ann:secret@p", "it shows a password to all; put it into the Secret"),
        ("http://p:99999", "Port out of range"),
        ("http://[::1", "is no address"),
        ("http://p/?tenant=x", "it ends in a query or a fragment"),
    ],
)
def test_an_address_that_cannot_be_is_refused_by_name(address: str, problem: str) -> None:
    with pytest.raises(SpecError, match=r"spec\.provider\.address: ") as error:
        Prometheus(address)
    assert problem in str(error.value)
