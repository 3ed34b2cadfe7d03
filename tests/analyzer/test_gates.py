"""Calling a gate, over real connections: what is sent, and which answers mean what."""

import socket
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from analyzer import gates
from analyzer.gates import payload
from analyzer.hooks import Gate, Kind
from analyzer.metrics.verdict import Check, Result
from tests.analyzer.mock_prometheus import LOOPBACK, Mock, pretending, send

CANARY = {"metadata": {"name": "podinfo", "namespace": "test"}}
BODY = {"name": "podinfo"}


@pytest.fixture
def server() -> Iterator[Mock]:
    with pretending() as mock:
        yield mock


def gate(url: str, kind: Kind = Kind.ROLLOUT, timeout: float = 2.0, retries: int = 0) -> Gate:
    metadata = {"cmd": "hey -z 1m http://podinfo-canary.test/"}
    return Gate("load-test", url, timeout, kind, retries=retries, metadata=metadata)


def call(gate: Gate, body: gates.Payload) -> Check:
    """The servers that pretend to be gates are on the loopback."""
    return gates.call(gate, body, LOOPBACK)


def answering(server: Mock, *statuses: int, body: bytes = b"", **headers: str) -> None:
    """Each status in turn, and the last one from then on."""
    left = list(statuses)
    server.behaviour = lambda handler: send(handler, left.pop(0) if len(left) > 1 else left[0], body, **headers)


def test_a_gate_is_sent_what_flagger_sends() -> None:
    sent = payload(CANARY, "Progressing", "abc", gate("http://loadtester.test/").metadata)
    assert sent == {
        "name": "podinfo",
        "namespace": "test",
        "phase": "Progressing",
        "checksum": "abc",
        "metadata": {"cmd": "hey -z 1m http://podinfo-canary.test/"},
    }


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_every_good_status_is_a_yes(server: Mock, status: int) -> None:
    answering(server, status)
    check = call(gate(f"{server.address}/gate?token=x"), BODY)
    assert (check.result, check.text) == (Result.PASSED, "external check load-test passed")
    method, path, _, headers = server.asked[0]
    assert (method, path, headers["Content-Type"]) == ("POST", "/gate", "application/json")


@pytest.mark.parametrize("status", [400, 403, 404, 500, 501, 502, 503, 504])
def test_a_bad_status_is_a_no_and_its_words_are_shown(server: Mock, status: int) -> None:
    answering(server, status, body=b"the suite\n failed\x1b[31m: \xff" + b"x" * 100_000)
    check = call(gate(server.address), BODY)
    assert check.result is Result.FAILED
    assert check.text.startswith("external check load-test failed the suite failed[31m: ")
    assert len(check.text) < 300


def test_a_bad_status_without_words_is_shown_itself(server: Mock) -> None:
    answering(server, 403)
    assert call(gate(server.address), BODY).text == "external check load-test failed 403 Forbidden"


@pytest.mark.parametrize(("status", "headers"), [(429, {}), (503, {"Retry-After": "5"})])
def test_whoever_wants_to_be_called_again_says_nothing_about_the_canary(
    server: Mock, status: int, headers: dict[str, str]
) -> None:
    answering(server, status, body=b"come back later", **headers)
    check = call(gate(server.address), BODY)
    assert check.result is Result.UNMEASURED
    assert check.text == "external check load-test cannot be called: 127.0.0.1: come back later"


def test_a_failed_call_is_repeated_as_often_as_asked_for(server: Mock) -> None:
    answering(server, 503, 500, 200)
    assert call(gate(server.address, retries=2), BODY).result is Result.PASSED
    assert len(server.asked) == 3


def test_the_words_of_the_last_try_are_kept(server: Mock) -> None:
    answering(server, 500, body=b"still broken")
    assert call(gate(server.address, retries=1), BODY).text == "external check load-test failed still broken"
    assert len(server.asked) == 2


def test_a_gate_may_be_silent_at_first_and_answer_in_the_end(server: Mock) -> None:
    left = [1.0, 0.0]

    def slow(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(left.pop(0))
        send(handler, 200, b"")

    server.behaviour = slow
    assert call(gate(server.address, timeout=0.3, retries=1), BODY).result is Result.PASSED


def test_a_redirect_is_not_followed(server: Mock) -> None:
    answering(server, 302, Location="http://169.254.169.254/")
    check = call(gate(server.address), BODY)
    assert check.result is Result.UNMEASURED
    assert "redirects" in check.text
    assert len(server.asked) == 1


def test_a_gate_that_does_not_answer_in_time_says_nothing_about_the_canary() -> None:
    silence = socket.create_server(("127.0.0.1", 0))
    with silence:
        check = call(gate(f"http://127.0.0.1:{silence.getsockname()[1]}/?token=secret", timeout=0.2), BODY)
    assert check.result is Result.UNMEASURED
    assert check.text == "external check load-test cannot be called: 127.0.0.1: no answer in time; check its url"


def test_a_body_that_trickles_without_end_is_cut_off(server: Mock) -> None:
    def trickle(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(403)
        handler.end_headers()
        for _ in range(50):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.05)

    server.behaviour = trickle
    assert call(gate(server.address, timeout=0.3), BODY).result is Result.UNMEASURED


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/", "http://nobody.invalid/", "http://[::1]:1/", "http://exa mple/"]
)
def test_nobody_there_says_nothing_about_the_canary(url: str) -> None:
    check = call(gate(url), BODY)
    assert check.result is Result.UNMEASURED
    assert "cannot be called" in check.text


CONFIRMS = [
    (Kind.CONFIRM_ROLLOUT, "waiting for approval load-test"),
    (Kind.CONFIRM_TRAFFIC_INCREASE, "waiting for traffic increase approval load-test"),
    (Kind.CONFIRM_PROMOTION, "waiting for promotion approval load-test"),
]


@pytest.mark.parametrize(("kind", "says"), CONFIRMS)
@pytest.mark.parametrize("status", [403, 500, 503])
def test_what_is_asked_for_consent_is_waited_for_whatever_else_it_says(
    server: Mock, kind: Kind, says: str, status: int
) -> None:
    answering(server, status, body=b"ask ann")
    check = call(gate(server.address, kind), BODY)
    assert (check.result, check.text, check.kind) == (Result.WAITING, f"{says}: ask ann", kind)


@pytest.mark.parametrize(("kind", "says"), CONFIRMS)
def test_a_gate_without_a_server_waits_for_a_person(kind: Kind, says: str) -> None:
    check = call(gate("", kind), BODY)
    assert (check.result, check.text, check.kind) == (Result.WAITING, says, kind)


@pytest.mark.parametrize("kind", [kind for kind, _ in CONFIRMS])
def test_consent_is_every_good_status(server: Mock, kind: Kind) -> None:
    answering(server, 204)
    check = call(gate(server.address, kind), BODY)
    assert (check.result, check.text) == (Result.PASSED, f"{kind} check load-test passed")


def test_the_yes_of_a_rollback_ends_the_canary(server: Mock) -> None:
    answering(server, 200, body=b"Approved")
    check = call(gate(server.address, Kind.ROLLBACK), BODY)
    assert (check.failed, check.kind, check.text) == (True, Kind.ROLLBACK, "rollback check load-test passed")


@pytest.mark.parametrize("status", [302, 403, 500, 503])
def test_whatever_else_a_rollback_says_is_a_no(server: Mock, status: int) -> None:
    answering(server, status, body=b"Forbidden", Location="http://elsewhere.test/")
    check = call(gate(server.address, Kind.ROLLBACK), BODY)
    assert (check.result, check.kind) == (Result.PASSED, Kind.ROLLBACK)
    assert check.text.startswith("rollback check load-test does not ask for a rollback: ")


def test_a_rollback_that_cannot_be_called_is_a_no() -> None:
    check = call(gate("http://127.0.0.1:1/", Kind.ROLLBACK), BODY)
    assert check.result is Result.PASSED
    assert "Connection refused" in check.text


@pytest.mark.parametrize(
    ("kind", "called"), [(Kind.PRE_ROLLOUT, "pre-rollout check"), (Kind.ROLLOUT, "external check")]
)
def test_a_check_is_called_what_flagger_calls_it(server: Mock, kind: Kind, called: str) -> None:
    answering(server, 400, body=b"3 of 40 tests failed")
    check = call(gate(server.address, kind), BODY)
    assert (check.text, check.kind) == (f"{called} load-test failed 3 of 40 tests failed", kind)
