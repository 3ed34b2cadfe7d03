"""Requests are gathered without waiting for anybody."""

import ssl
import time
from typing import cast

import pytest

from webhook.app import LARGEST_BODY
from webhook.gather import (
    LARGEST_HEAD,
    MOST_HELD,
    BodyTooLarge,
    Ended,
    HeadTooLarge,
    Incoming,
    NoLength,
    body_length,
    too_many,
)
from webhook.patience import Bounded

HEAD = b"POST /divert HTTP/1.1\r\nContent-Length: 5\r\n\r\n"


class Peer:
    """Says one piece at a time; None: it is silent for a while."""

    def __init__(self, *pieces: bytes | None) -> None:
        self._pieces = list(pieces)

    def at_hand(self, most: int) -> bytes:
        piece = self._pieces.pop(0) if self._pieces else b""
        if piece is None:
            raise ssl.SSLWantReadError
        if len(piece) > most:
            self._pieces.insert(0, piece[most:])
        return piece[:most]

    def pending(self) -> int:
        return 0


def incoming(seconds: float = 5.0) -> Incoming:
    return Incoming(time.monotonic() + seconds)


def taken(found: Incoming, peer: Peer) -> bool:
    return found.take(cast("Bounded", peer))


def test_a_request_is_whole_when_its_last_byte_is_there() -> None:
    found, peer = incoming(), Peer(HEAD[:9], None, HEAD[9:], b"1234", None, b"5")
    assert [taken(found, peer) for _ in range(3)] == [False, False, True]
    assert found.came == HEAD + b"12345"


def test_what_comes_after_it_stays_with_it() -> None:
    found = incoming()
    assert taken(found, Peer(HEAD + b"12345" + b"GET"))
    assert found.came.endswith(b"GET")


def test_who_says_much_lets_others_have_their_turn() -> None:
    found, peer = incoming(), Peer(HEAD.replace(b"5", b"7000000") + b"x" * 7_000_000)
    turns = 1
    while not taken(found, peer):
        turns += 1
    assert turns > 20


def test_whose_end_comes_before_the_whole_has_gone() -> None:
    with pytest.raises(Ended):
        taken(incoming(), Peer(HEAD, b"1234"))


def test_a_head_without_end_is_refused() -> None:
    with pytest.raises(HeadTooLarge):
        taken(incoming(), Peer(b"x" * (LARGEST_HEAD + 1), None))


@pytest.mark.parametrize(
    ("head", "length"),
    [
        (b"POST / HTTP/1.1", 0),
        (b"POST / HTTP/1.1\r\nContent-Length: 12", 12),
        (b"POST / HTTP/1.1\r\ncontent-length:12\r\nX: y", 12),
        (b"POST / HTTP/1.1\r\nContent-Length: 12\r\nContent-Length: 12", 12),
        (b"POST / HTTP/1.1\r\nContent-Length: 12\r\nContent-Length: 13", 0),
        (b"POST / HTTP/1.1\r\nContent-Length: -1", 0),
        (b"POST / HTTP/1.1\r\nX-Content-Length: 12", 0),
    ],
)
def test_the_length_of_a_body_is_what_its_head_says(head: bytes, length: int) -> None:
    """What is wrong, or contradicts itself, is the parser's to refuse."""
    assert body_length(head) == length


def test_a_body_without_a_length_and_one_that_no_review_has_are_refused_by_their_head() -> None:
    with pytest.raises(NoLength):
        body_length(b"POST / HTTP/1.1\r\nContent-Length: 12\r\nTRANSFER-ENCODING : chunked")
    with pytest.raises(BodyTooLarge):
        body_length(b"POST / HTTP/1.1\r\nContent-Length: %d" % (LARGEST_BODY + 1))


def test_when_too_much_is_held_the_oldest_go() -> None:
    half = bytearray(MOST_HELD // 2)
    held = [Incoming(0.0, half), Incoming(1.0), Incoming(2.0, half), Incoming(3.0, bytearray(1))]
    assert too_many(held) == 1
    assert too_many(held[1:]) == 0


def test_who_has_not_finished_in_time_is_late() -> None:
    assert incoming(-1).late
    assert not incoming(60).late
