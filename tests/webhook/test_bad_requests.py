"""What is no HTTP request, or none for us: answered 4xx with a reason, soon, and with nothing of it in the log.

On the wire of a real server, since most of it never reaches the application.
"""

import json
import re
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from functools import cache

import pytest

from tests.webhook.deployments import changed, deployment, template
from tests.webhook.model import review
from tests.webhook.serving import HOST, Running, ask, eventually, ready
from tests.webhook.test_review import NO_REVIEWS
from webhook.app import LARGEST_BODY
from webhook.worker import PATIENCE

SECRET = "hunter2"
LATEST = PATIENCE.request + 2 * PATIENCE.silence + 20  # seconds until anybody is let go, on the busiest machine
POST, JSON = "POST /divert HTTP/1.1", "Content-Type: application/json"
CHUNKED = "Transfer-Encoding: chunked"
V1 = deployment(template("podinfo:1"))
REVIEW = json.dumps(review(changed(V1, template("podinfo:2", args=[SECRET])), V1)).encode()


@pytest.fixture(name="server", scope="module")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with ready(tmp_path_factory.mktemp("tls")) as found:
        yield found
    nothing_is_repeated(found.log)


def nothing_is_repeated(log: str) -> None:
    """Of all that was sent to the server, the log has nothing, and no fault of ours."""
    assert SECRET not in log.lower()
    assert not re.search(r"[^\n -~]", log)
    assert "Traceback" not in log
    assert "please report it" not in log


def secured(server: Running, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLSocket:
    return _trusting(newest).wrap_socket(plain(server))


@cache
def _trusting(newest: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode, context.maximum_version = False, ssl.CERT_NONE, newest
    return context


def plain(server: Running) -> socket.socket:
    return socket.create_connection((HOST, server.port), timeout=2 * LATEST)


def request(line: str, *headers: str, body: bytes = REVIEW) -> bytes:
    length = () if any(header.startswith(("Content-Length", "Transfer")) for header in headers) else (len(body),)
    lines = [line, "Host: webhook", *headers, *(f"Content-Length: {found}" for found in length)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def answer(peer: socket.socket) -> tuple[int, str]:
    """Status and body; 0 where the connection was closed without an answer."""
    received = b""
    try:
        while not (found := re.match(rb"HTTP/1\.1 (\d+) .*?\r\n\r\n(\{.*\}\s*)$", received, re.DOTALL)):
            if not (more := peer.recv(65536)):
                return 0, received.decode("latin-1")
            received += more
    except OSError:
        return 0, received.decode("latin-1")
    finally:
        peer.close()
    return int(found[1]), str(json.loads(found[2]).get("error", ""))


def others_are_answered(server: Running) -> bool:
    """A good review, on a connection of its own."""
    with closing(server.connect()) as connection:
        return ask(connection)["allowed"] is True


NO_HTTP = "this is no HTTP/1.1 request"


@pytest.mark.parametrize(
    ("sent", "status", "reason"),
    [
        (request(f"GET {SECRET}"), 400, NO_HTTP),
        (request(f"\x00{SECRET}\x1b[31m"), 400, NO_HTTP),
        (request("POST /divert HTTP/9.9"), 400, NO_HTTP),
        (request("PRI * HTTP/2.0"), 400, NO_HTTP),
        (request(f"{SECRET} /divert HTTP/1.1"), 400, NO_HTTP),
        (request(f"POST /{SECRET * 200} HTTP/1.1"), 414, "the request line is too long"),
        (request(POST, f"{SECRET} without a colon"), 400, NO_HTTP),
        (request(POST, f"Authorization: {SECRET}\x1b[31m"), 400, NO_HTTP),
        (request(POST, f"Author\x1b{SECRET}: x"), 400, NO_HTTP),
        (request(POST, f"X: {SECRET * 2000}"), 431, "too many headers, or they are too long"),
        (request(POST, *(f"X-{number}: {SECRET}" for number in range(40))), 431, "too many headers"),
        (request(POST, f"Expect: {SECRET}"), 417, "only 100-continue can be expected"),
        (request(POST, JSON, "Content-Length: -1"), 400, NO_HTTP),
        (request(POST, JSON, f"Content-Length: {SECRET}"), 400, NO_HTTP),
        (request(POST, JSON, "Content-Length: 5", "Content-Length: 6"), 400, NO_HTTP),
        (request(POST, JSON, CHUNKED, "Content-Length: 6"), 411, "a Content-Length is missing"),
        (request(POST, JSON, f"Transfer-Encoding: {SECRET}"), 411, "a Content-Length is missing"),
        (request(POST, JSON, "Content-Type: text/plain"), 400, NO_HTTP),
        (request(POST, JSON, CHUNKED, body=f"4\r\n{SECRET}\r\n".encode()), 411, "a Content-Length is missing"),
        (request(POST, JSON, "Content-Length: 9", body=b'{"a": 1}' + SECRET.encode()), 400, "the body is not JSON"),
        (request(POST, JSON, f"Content-Length: {LARGEST_BODY + 1}", body=b""), 413, f"larger than {LARGEST_BODY}"),
        (request(POST, "Content-Type: text/plain"), 415, "POST an AdmissionReview as application/json to /divert"),
        (request(POST), 415, "the Content-Type is wrong"),
        (request("GET /divert HTTP/1.1"), 405, "the method is wrong; POST an AdmissionReview"),
        (request("OPTIONS /divert HTTP/1.1"), 405, "the method is wrong"),
        (request(f"{SECRET.upper()} /divert HTTP/1.1"), 405, "the method is wrong"),
        (request(f"POST /{SECRET} HTTP/1.1", JSON), 404, "there is nothing here; POST an AdmissionReview"),
        (request("POST /static/app.py HTTP/1.1", JSON), 404, "there is nothing here"),
        (request("POST /divert/%00%0a HTTP/1.1", JSON), 404, "there is nothing here"),
    ],
)
def test_what_is_no_request_for_us_is_refused_with_a_reason(
    server: Running, sent: bytes, status: int, reason: str
) -> None:
    peer = secured(server)
    peer.sendall(sent)
    found = answer(peer)
    assert found[0] == status
    assert reason in found[1]


def test_what_is_no_review_is_refused_with_a_reason(server: Running) -> None:
    """All of them on one connection: none of them spoils it for the next."""
    with closing(server.connect()) as connection:
        for text, reason in NO_REVIEWS:
            connection.request("POST", "/divert", text, {"Content-Type": "application/json"})
            response = connection.getresponse()
            assert response.status == 400, reason
            assert re.search(reason, json.loads(response.read())["error"])
        assert ask(connection)["allowed"] is True


def test_chunks_without_end_are_not_even_begun_with(server: Running) -> None:
    peer, sent = secured(server), 0
    peer.sendall(request(POST, JSON, CHUNKED, body=b""))
    with suppress(OSError):
        while sent < 4 * LARGEST_BODY:
            peer.sendall(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
            sent += 0x10000
    peer.close()
    assert sent < LARGEST_BODY
    assert others_are_answered(server)


def test_plain_http_is_told_that_this_port_speaks_tls(server: Running) -> None:
    peer = plain(server)
    peer.sendall(request(POST, JSON))
    assert answer(peer) == (400, "this port speaks TLS: use https")


def test_an_older_tls_is_refused(server: Running) -> None:
    with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
        secured(server, ssl.TLSVersion.TLSv1_2)


def test_http_1_0_is_answered(server: Running) -> None:
    with secured(server) as peer:
        peer.sendall(request("POST /divert HTTP/1.0", JSON))
        assert peer.recv(65536).startswith(b"HTTP/1.0 200")


@pytest.mark.parametrize(
    ("sent", "status", "reason"),
    [
        (b"POST /divert HTTP/1.1\r\nHo", 0, ""),
        (request(POST, JSON, f"Content-Length: {len(REVIEW) + 1}"), 408, "the body did not come in time"),
    ],
)
def test_who_stops_in_mid_request_is_let_go(server: Running, sent: bytes, status: int, reason: str) -> None:
    began, peer = time.monotonic(), secured(server)
    peer.sendall(sent)
    assert answer(peer) == (status, reason)
    assert time.monotonic() - began < LATEST


def test_who_sends_byte_by_byte_is_let_go_and_keeps_nobody_from_being_answered(server: Running) -> None:
    peers = [secured(server) for _ in range(40)]
    began = time.monotonic()
    for peer in peers[:20]:
        peer.sendall(b"POST /divert HTTP/1.1\r\nX: ")
    for peer in peers[20:]:
        peer.sendall(request(POST, JSON, "Content-Length: 99999"))
    left = list(peers)
    while left:
        assert time.monotonic() - began < LATEST
        left = [peer for peer in left if goes_on(peer)]
        asked = time.monotonic()
        assert others_are_answered(server)
        assert time.monotonic() - asked < PATIENCE.silence
        time.sleep(0.5)
    assert time.monotonic() - began > PATIENCE.silence, "each byte came in time; only all of them did not"


def goes_on(peer: ssl.SSLSocket) -> bool:
    """Send one byte more, if anybody is there."""
    try:
        peer.sendall(b" ")
    except OSError:
        peer.close()
        return False
    return True


def test_half_closed_connections_and_silent_ones_cost_no_thread(server: Running) -> None:
    silent = [plain(server) for _ in range(100)]
    half = [plain(server) for _ in range(100)]
    for peer in half:
        peer.shutdown(socket.SHUT_WR)
    began = time.monotonic()
    assert others_are_answered(server)
    assert time.monotonic() - began < PATIENCE.silence
    for peer in (*silent, *half):
        peer.close()


def test_the_log_tells_who_did_what_wrong(server: Running) -> None:
    peer = secured(server)
    peer.sendall(request(f"GET {SECRET}"))
    assert answer(peer) == (400, NO_HTTP)
    with suppress(ssl.SSLError, OSError):
        secured(server, ssl.TLSVersion.TLSv1_2).close()
    who = "::ffff:127.0.0.1"
    eventually(lambda: f"a request of {who}: {NO_HTTP}\n" in server.log)
    eventually(lambda: f"no TLS 1.3 with {who}: UNSUPPORTED_PROTOCOL\n" in server.log)
