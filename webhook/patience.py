"""TLS sockets on which no peer is waited for without end, neither for its next bytes nor for the whole of its request.

Whoever sends a byte a second never exceeds the timeout of a socket, and would keep a thread for as long as it likes.
"""

import errno
import ssl
import time
from dataclasses import dataclass

GOOD, END_OF_HEAD = b"HTTP/1.1 200 ", b"\r\n\r\n"
"""Of an answer that has a body in any case."""


@dataclass(frozen=True, slots=True)
class Patience:
    """In seconds: how long a peer may be silent, and how long a whole request may take to come."""

    silence: float
    request: float


class TooSlow(TimeoutError):
    """The peer kept us waiting. For gunicorn it is as if it had gone, or that would be logged as a fault of ours."""

    def __init__(self) -> None:
        super().__init__(errno.ECONNRESET, "the peer kept us waiting")


class Bounded(ssl.SSLSocket):
    """Raises TooSlow while a request comes, if anybody waits for it, and while its answer goes."""

    patience: Patience
    _until = 0.0
    _head = b""

    def settimeout(self, value: float | None) -> None:
        """Where it changes: each time costs a system call, and the interpreter's lock."""
        if value != self.gettimeout():
            super().settimeout(value)

    def setblocking(self, flag: bool) -> None:
        """gunicorn asks for this before every request but the first, and before it gives a connection up."""
        self.settimeout(self.patience.silence if flag else 0.0)
        self._until = time.monotonic() + self.patience.request

    def at_hand(self, most: int) -> bytes:
        """What has come by now; b"" at its end. Raises SSLWantReadError where nothing has."""
        self.settimeout(0.0)
        return super().recv(most)

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        self._wait_until(self._until)
        try:
            return super().recv(buflen, flags)
        except TimeoutError as error:
            raise TooSlow from error

    def sendall(self, data: object, flags: int = 0) -> None:
        """gunicorn writes head and body apart. One record is half the work for both sides."""
        assert isinstance(data, bytes)
        if data.startswith(GOOD) and data.endswith(END_OF_HEAD):
            self._head = data
        else:
            whole, self._head = self._head + data, b""
            super().sendall(whole, flags)

    def send(self, data: object, flags: int = 0) -> int:
        """`sendall` comes here, too. An answer may take a silence longer than its request."""
        self._wait_until(self._until + self.patience.silence)
        try:
            return super().send(data, flags)  # type: ignore[arg-type]  # whatever the standard library takes
        except TimeoutError as error:
            raise TooSlow from error

    def _wait_until(self, end: float) -> None:
        left = end - time.monotonic()
        if left <= 0:
            raise TooSlow
        self.settimeout(min(left, self.patience.silence))


def bounded(patience: Patience) -> type[Bounded]:
    """A kind of TLS socket with this patience."""
    return type("BoundedBy", (Bounded,), {"patience": patience})
