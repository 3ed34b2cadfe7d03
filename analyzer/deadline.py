"""A deadline for a whole call: connections, handshakes, head and body together.

The timeout of a socket bounds each read alone, so a peer that sends a byte now and then holds its caller for as long as
it likes. Only the look-up of a name keeps its own time, the resolver's.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection

Dial = Callable[[HTTPConnection], socket.socket]


class Punctual(HTTPAdapter):
    """Makes a session's connections, and shuts them all down when the time for the call is over.

    A second descriptor of each is kept for that, since TLS takes the first for itself.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._ends = float("inf")
        super().__init__(*arguments, **options)

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """What is done inside raises TimeoutError once the `seconds` are over. One at a time."""
        self._ends = time.monotonic() + seconds
        timer = threading.Timer(seconds, self._shut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            self.close()  # a connection that is kept would not be watched the next time
            self._forget()
            if self._ends <= time.monotonic():  # whatever came of connections that were shut
                raise TimeoutError("no answer in time") from None

    def get_connection_with_tls_context(self, *arguments: Any, **options: Any) -> Any:
        """The pool that serves a request, directly or through a proxy."""
        pool: Any = super().get_connection_with_tls_context(*arguments, **options)
        if pool.num_connections == 0:
            kind = pool.ConnectionCls
            pool.ConnectionCls = type(kind.__name__, (kind,), {"_new_conn": self._dialling(kind._new_conn)})
        return pool

    def _dialling(self, dial: Dial) -> Dial:
        def dialled(connection: HTTPConnection) -> socket.socket:
            connection.timeout = self._left()
            made = dial(connection)
            with self._lock:
                self._sockets.append(made.dup())
            self._left()
            return made

        return dialled

    def _left(self) -> float:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("no answer in time")
        return left

    def _shut(self) -> None:
        with self._lock:
            for each in self._sockets:
                with suppress(OSError):  # it has ended by itself
                    each.shutdown(socket.SHUT_RDWR)

    def _forget(self) -> None:
        with self._lock:
            while self._sockets:
                self._sockets.pop().close()
