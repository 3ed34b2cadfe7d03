"""Calls to addresses that a user wrote, over real connections: where they go, and when they end."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler as Handler
from typing import Any

import pytest
import requests
import urllib3

from analyzer.addresses import Addresses
from analyzer.web import Answer, NoAnswer, Session
from tests.analyzer.mock_prometheus import LOOPBACK, Mock, pretending, send


@pytest.fixture
def server() -> Iterator[Mock]:
    with pretending() as mock:
        mock.behaviour = lambda handler: send(handler, 200, b"fine")
        yield mock


def fetch(url: str, addresses: Addresses = LOOPBACK, seconds: float = 2, **options: Any) -> Answer:
    with Session(addresses) as session:
        return session.fetch("GET", url, seconds=seconds, largest=100, **options)


def port_of(server: Mock) -> str:
    return server.address.rpartition(":")[2]


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "0.0.0.0"),
        *("[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "127.0.0.1.", "LOCALHOST"),
        *("prometheus@127.0.0.1", "prometheus:9090@127.0.0.1", "10.0.0.1%2f@127.0.0.1"),
    ],
)
def test_however_the_loopback_is_written_nothing_is_sent_there(server: Mock, host: str) -> None:
    with pytest.raises(NoAnswer, match=r"may not be called|no address|not known"):
        fetch(f"http://{host}:{port_of(server)}/", Addresses())
    assert not server.asked


@pytest.mark.parametrize("host", ["169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "[fe80::1]"])
def test_however_a_clouds_metadata_service_is_written_it_is_not_called(host: str) -> None:
    with pytest.raises(NoAnswer, match="is where clouds keep credentials and may not be called"):
        fetch(f"http://{host}/latest/meta-data/")


def test_a_refusal_does_not_wait_for_a_connection_nor_tell_whether_anybody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        said = []
        for place in (port, 1):
            with pytest.raises(NoAnswer) as error:
                fetch(f"http://127.0.0.1:{place}/", Addresses())
            said.append(str(error.value))
        assert said[0] == said[1]
        listening.settimeout(0.1)
        with pytest.raises(TimeoutError):
            listening.accept()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[list[str]]], list[str]]:
    """Has the name rebinding.example stand for these addresses, one list at each look-up."""
    real = socket.getaddrinfo

    def stand_for(answers: list[list[str]]) -> list[str]:
        asked: list[str] = []

        def look_up(host: str, port: int, *arguments: Any, **options: Any) -> list[Any]:
            if host != "rebinding.example":
                return real(host, port, *arguments, **options)
            asked.append(host)
            return [found for each in answers.pop(0) for found in real(each, port, type=socket.SOCK_STREAM)]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        return asked

    return stand_for


def test_a_name_is_looked_up_once_and_what_was_judged_is_called(
    server: Mock, names: Callable[[list[list[str]]], list[str]]
) -> None:
    asked = names([["127.0.0.1"], ["169.254.169.254"]])
    assert fetch(f"http://rebinding.example:{port_of(server)}/").body == b"fine"
    assert len(asked) == 1
    assert server.asked[0][3]["Host"] == f"rebinding.example:{port_of(server)}"


def test_a_name_that_stands_for_one_forbidden_address_among_others_is_refused(
    server: Mock, names: Callable[[list[list[str]]], list[str]]
) -> None:
    names([["127.0.0.1", "169.254.169.254"]])
    with pytest.raises(NoAnswer, match=r"169\.254\.169\.254 is where clouds keep credentials"):
        fetch(f"http://rebinding.example:{port_of(server)}/")
    assert not server.asked


def test_the_second_address_is_called_where_the_first_has_nobody(
    server: Mock, names: Callable[[list[list[str]]], list[str]]
) -> None:
    names([["127.0.0.2", "127.0.0.1"]])
    assert fetch(f"http://rebinding.example:{port_of(server)}/").body == b"fine"


def test_credentials_are_not_taken_along_to_another_host(server: Mock) -> None:
    with pretending() as other:
        server.behaviour = lambda handler: send(handler, 302, b"", Location=f"{other.address}/")
        answer = fetch(server.address, headers={"Authorization": "Bearer t0p"})
        assert answer.redirects
        assert not other.asked


def test_a_library_that_mounts_an_adapter_of_its_own_goes_the_same_way(server: Mock) -> None:
    with Session(Addresses()) as session:
        session.mount(server.address, requests.adapters.HTTPAdapter())
        with pytest.raises(NoAnswer, match="may not be called"):
            session.fetch("GET", server.address, seconds=1, largest=1)
    assert not server.asked


@pytest.mark.parametrize(
    "url", ["ftp://h/?token=t0p", "file:///etc/passwd?t0p", "http://a b/?token=t0p", "http:///t0p"]
)
def test_what_is_no_address_is_said_so_and_not_quoted(url: str) -> None:
    with pytest.raises(NoAnswer, match=r"^it is no address$"):
        fetch(url)


def test_surroundings_of_the_analyzer_neither_lend_a_proxy_nor_a_password(
    server: Mock, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login ann password t0p")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    fetch(server.address)
    assert "Authorization" not in server.asked[0][3]


def continuing(handler: Handler) -> None:
    while True:
        handler.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.02)


def trickling_chunk(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        handler.wfile.write(b"0")
        time.sleep(0.02)


def endless_trailers(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")
    while True:
        handler.wfile.write(b"X: 1\r\n")
        time.sleep(0.02)


def without_length(handler: Handler) -> None:
    """Its end would look like an end, had the time not been over."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
    time.sleep(1)


@pytest.mark.parametrize("behaviour", [continuing, trickling_chunk, endless_trailers, without_length])
def test_however_slowly_somebody_answers_the_call_ends_in_time(
    server: Mock, behaviour: Callable[[Handler], None]
) -> None:
    over = threading.Event()

    def behave(handler: Handler) -> None:
        with suppress(OSError):
            behaviour(handler)
        over.set()

    server.behaviour = behave
    with pytest.raises(NoAnswer, match=r"^no answer in time$"):
        fetch(server.address, seconds=0.3)
    assert over.wait(5), "the connection was ended"


def test_all_tries_together_have_that_time(server: Mock) -> None:
    server.behaviour = lambda _: time.sleep(0.3)  # and then drops it
    retry = urllib3.Retry(total=5, allowed_methods=None)
    with Session(LOOPBACK, retry) as session, pytest.raises(NoAnswer, match="no answer in time"):
        session.fetch("GET", server.address, seconds=0.5, largest=10)
    assert len(server.asked) <= 2


def test_an_answer_is_read_up_to_a_byte_more_than_was_asked_for(server: Mock) -> None:
    server.behaviour = lambda handler: send(handler, 200, b"x" * 10_000_000)
    assert len(fetch(server.address).body) == 101
