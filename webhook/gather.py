"""Requests gathered as they come, without waiting: only what has come completely is given to a thread.

There are few threads and anybody can reach the port. Were a thread to read from the network, a few hundred peers that
send a byte now and then would have them all.
"""

import re
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from webhook.app import LARGEST_BODY
from webhook.patience import Bounded

LARGEST_HEAD = 64 * 1024
"""Bytes of request line and headers together; an API server sends less than one KiB."""

MOST_HELD = 32 * 1024 * 1024
"""Bytes of all unfinished requests together; more, and whoever takes longest has to go."""

_GULP = 16 * 1024  # bytes: a TLS record has no more
_TURN = 16  # gulps until others have their turn
_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = re.compile(rb"^content-length[ \t]*:[ \t]*(\d{1,18})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_ENCODING = re.compile(rb"^transfer-encoding[ \t]*:", re.IGNORECASE | re.MULTILINE)


class Refused(Exception):
    """What can be told to be no request for us before it is complete."""


class HeadTooLarge(Refused):
    """The head has no end."""


class BodyTooLarge(Refused):
    """The body is announced to be larger than any review."""


class NoLength(Refused):
    """Nobody knows how long the body will be. The API server always says it."""


class Late(Refused):
    """It did not come in time."""


class Ended(Exception):
    """The peer has said all that it had to say."""


@dataclass(slots=True)
class Incoming:
    """A request on its way, which has to be there by `until` (of the monotonic clock).

    `length` is of the whole request, 0 until its head is there.
    """

    until: float
    came: bytearray = field(default_factory=bytearray)
    length: int = 0

    @property
    def whole(self) -> bool:
        """Whether all of it is there."""
        return 0 < self.length <= len(self.came)

    @property
    def late(self) -> bool:
        """Whether it should be there by now."""
        return time.monotonic() >= self.until

    def take(self, sock: Bounded) -> bool:
        """Take what has come, without waiting; whether all is there. Raises Refused, Ended, OSError."""
        gulps = 0
        while not self._measured():
            try:
                more = sock.at_hand(_GULP)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return False
            if not more:
                raise Ended
            self.came += more
            gulps += 1
            if gulps >= _TURN and not sock.pending():
                return self._measured()
        return True

    def _measured(self) -> bool:
        if not self.length:
            end = self.came.find(_END_OF_HEAD)
            if end < 0 and len(self.came) > LARGEST_HEAD:
                raise HeadTooLarge
            if end >= 0:
                self.length = end + len(_END_OF_HEAD) + body_length(bytes(self.came[:end]))
        return self.whole


def body_length(head: bytes) -> int:
    """Bytes that follow a head. Of one that is wrong or contradicts itself nothing needs to follow. Raises Refused."""
    if _ENCODING.search(head):
        raise NoLength
    lengths = {int(found) for found in _LENGTH.findall(head)}
    length = lengths.pop() if len(lengths) == 1 else 0
    if length > LARGEST_BODY:
        raise BodyTooLarge
    return length


def too_many(incoming: Iterable[Incoming]) -> int:
    """How many of these, the oldest first, have to go for the others to fit into memory."""
    waiting = sorted(incoming, key=lambda each: each.until)
    held, gone = sum(len(each.came) for each in waiting), 0
    while held > MOST_HELD:
        held -= len(waiting[gone].came)
        gone += 1
    return gone
