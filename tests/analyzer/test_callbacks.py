"""Hooks that nobody waits for, over real connections: what they are sent, and when they are called again."""

import json
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from analyzer import courier
from analyzer.actions import Emit
from analyzer.callbacks import Callbacks, of
from analyzer.courier import Arrived, Never
from analyzer.hooks import Kind
from tests.analyzer.mock_prometheus import LOOPBACK, Mock, pretending, send
from tests.cluster.kubectl import eventually

V2 = "2" * 64
NEWS = Emit("Advance podinfo.shop canary weight 20")
ALARM = Emit("Halt podinfo.shop advancement success rate 50.00% < 99%", warning=True)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier, "FIRST_PAUSE", 0.01)


@pytest.fixture
def server() -> Iterator[Mock]:
    with pretending() as mock:
        mock.behaviour = lambda handler: send(handler, 200, b"thanks")
        yield mock


def canary(*webhooks: dict[str, Any], **analysis: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "podinfo", "namespace": "shop"},
        "spec": {"analysis": {"webhooks": list(webhooks), **analysis}},
        "status": {"phase": "Progressing", "revision": V2},
    }


def hook(url: str, kind: Kind = Kind.EVENT, **fields: Any) -> dict[str, Any]:
    return {"name": "chat", "type": kind.value, "url": url, **fields}


def until(condition: Callable[[], object]) -> None:
    eventually(condition, "called", 5)


def test_an_event_is_told_as_flagger_tells_it(server: Mock) -> None:
    before = int(time.time() * 1000)
    metadata = {"environment": "test", "eventMessage": "its own"}
    Callbacks(LOOPBACK).tell(ALARM, canary(hook(server.address, metadata=metadata)))
    until(lambda: server.sent)
    body = json.loads(server.sent[0])
    moment = body["metadata"].pop("timestamp")
    assert body == {
        "name": "podinfo",
        "namespace": "shop",
        "phase": "Progressing",
        "checksum": V2,
        "metadata": {"environment": "test", "eventMessage": ALARM.text, "eventType": "Warning"},
    }
    assert before <= int(moment) <= int(time.time() * 1000)


def test_events_are_told_in_their_order_and_none_is_lost_where_the_destination_is_away_for_a_while(
    server: Mock,
) -> None:
    left = [503, 503, 429]
    server.behaviour = lambda handler: send(handler, left.pop(0) if left else 200, b"")
    callbacks, watched = Callbacks(LOOPBACK), canary(hook(server.address))
    for number in range(5):
        callbacks.tell(Emit(str(number)), watched)
    until(lambda: len(server.sent) == 5 + 3)
    told = [json.loads(body)["metadata"]["eventMessage"] for body in server.sent]
    assert told == ["0", "0", "0", *map(str, range(5))]


def test_a_no_is_an_answer_and_the_next_event_is_told(server: Mock) -> None:
    server.behaviour = lambda handler: send(handler, 500, b"")
    callbacks, watched = Callbacks(LOOPBACK), canary(hook(server.address))
    for each in (NEWS, ALARM):
        callbacks.tell(each, watched)
    until(lambda: len(server.sent) == 2)
    assert [json.loads(body)["metadata"]["eventType"] for body in server.sent] == ["Normal", "Warning"]


def test_who_has_no_hook_for_events_has_the_operators(server: Mock) -> None:
    callbacks = Callbacks(LOOPBACK, f"{server.address}/everyones")
    callbacks.tell(NEWS, canary())
    until(lambda: len(server.asked) == 1)
    callbacks.tell(NEWS, canary(hook(f"{server.address}/own")))
    until(lambda: len(server.asked) == 2)
    assert [path for _, path, _, _ in server.asked] == ["/everyones", "/own"]


def test_telling_never_waits_for_the_hook(server: Mock) -> None:
    """A hook that holds its answer back for ten seconds would hold up the rollout, if anything waited for it."""
    answered: list[float] = []

    def slow(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(1.0)
        answered.append(time.monotonic())
        send(handler, 200, b"")

    server.behaviour = slow
    callbacks, watched = Callbacks(LOOPBACK), canary(hook(server.address))
    for each in (NEWS, ALARM):
        callbacks.tell(each, watched)
    assert not answered
    until(lambda: len(answered) == 2)


def test_the_end_is_told_with_its_phase_and_what_the_hook_says_is_heard(server: Mock) -> None:
    callbacks, heard = Callbacks(LOOPBACK), list[object]()
    watched = canary(hook(server.address, Kind.POST_ROLLOUT, metadata={"cmd": "clean up"}))
    (found,) = of(watched, Kind.POST_ROLLOUT)
    callbacks.tell_ending(found, watched, "Failed", V2, heard.append)
    until(lambda: heard)
    body = json.loads(server.sent[0])
    assert (body["phase"], body["checksum"], body["metadata"]) == ("Failed", V2, {"cmd": "clean up"})
    assert heard == [Arrived("thanks")]


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (404, "nobody here"),
        (500, "nobody here"),
        (302, "127.0.0.1 redirects; put that address into its url"),
    ],
)
def test_an_answer_that_is_no_yes_is_heard_as_it_is(server: Mock, status: int, why: str) -> None:
    server.behaviour = lambda handler: send(handler, status, b"nobody here", Location="http://elsewhere.test/")
    heard = list[object]()
    watched = canary(hook(server.address, Kind.POST_ROLLOUT))
    Callbacks(LOOPBACK).tell_ending(of(watched, Kind.POST_ROLLOUT)[0], watched, "Succeeded", V2, heard.append)
    until(lambda: heard)
    assert heard == [Never(why)]
    assert len(server.sent) == 1


def test_hooks_are_found_in_a_canary_that_is_wrong_elsewhere() -> None:
    wrong = {"name": "slow", "type": "event", "url": "http://x/", "timeout": "ages"}
    found = of(canary(wrong, hook("http://chat.test/"), stepWeight=-1), Kind.EVENT)
    assert [each.url for each in found] == ["http://chat.test/"]
    assert of({"metadata": {}}, Kind.EVENT) == ()
