"""gunicorn's threads, connections gathered, evicted and answered: what it takes to be reachable by anybody."""

import errno
import json
import logging
import os
import select
import socket
import ssl
import time
from collections import Counter, deque
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from gunicorn.http import errors, get_parser
from gunicorn.sock import ssl_wrap_socket
from gunicorn.workers.gthread import _DEFER, STOP_KEEPALIVE_LINGER, TConn, ThreadWorker

from webhook.app import REASONS, place
from webhook.gather import LARGEST_HEAD, BodyTooLarge, Ended, HeadTooLarge, Incoming, Late, NoLength, Refused, too_many
from webhook.patience import Patience
from webhook.turns import Turns

PATIENCE = Patience(silence=2.0, request=5.0)
"""The API server is near, and it asks with its whole body at once; after 5 s (`timeoutSeconds`) it has given up."""

WHOLE = object()
"""Of a connection: its next request is there."""

LOOK_EVERY = 0.1
"""Seconds between two looks for connections that have to go."""

LAST_WORDS = 20.0
"""Seconds that a stopping server goes on listening on kept connections, to answer each request with a good-bye.

What an API server sends at the very moment of our closing is lost: so nobody is closed who asks now and then.
"""

LINGER = 10
"""Milliseconds that a thread waits for the next request of its connection before another may have the thread."""

TLS_HANDSHAKE = b"\x16"
"""The first byte of every TLS connection (RFC 8446, 5.1: ContentType handshake)."""


class PlainText(Exception):
    """HTTP without TLS."""


COMPLAINTS: tuple[tuple[type[Exception], int, str], ...] = (
    (HeadTooLarge, 431, "there are too many headers, or they are too long"),
    (BodyTooLarge, 413, REASONS[413]),
    (NoLength, 411, "a Content-Length is missing"),
    (Late, 408, REASONS[408]),
    (errors.LimitRequestLine, 414, "the request line is too long"),
    (errors.LimitRequestHeaders, 431, "there are too many headers, or they are too long"),
    (errors.ExpectationFailed, 417, "only 100-continue can be expected"),
    (PlainText, 400, "this port speaks TLS: use https"),
    (errors.ParseException, 400, "this is no HTTP/1.1 request"),
)
"""What is answered and logged. gunicorn's own words quote what was sent, which may be a secret, or half a body."""


class Connection(TConn):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn's connection, with what has come of its next request; None between two requests."""

    def __init__(self, *arguments: Any) -> None:
        self.sock: Any = None
        super().__init__(*arguments)
        self.incoming: Incoming | None = Incoming(time.monotonic() + PATIENCE.request)
        self.served = False

    def secure(self) -> bool:
        """Go on with the handshake as far as one can without waiting; whether that is its end."""
        if not isinstance(self.sock, ssl.SSLSocket):
            if self.sock.recv(1, socket.MSG_PEEK) not in (TLS_HANDSHAKE, b""):
                self.sock.recv(LARGEST_HEAD)  # or the answer would be lost with what nobody has read
                raise PlainText
            self.sock = ssl_wrap_socket(self.sock, self.cfg)
        try:
            self.sock.do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        self.parser = get_parser(self.cfg, self.sock, self.client)
        self.initialized = True
        return True

    def unfinished(self) -> object:
        """To be gone on with when more comes. Raises Late."""
        if self.incoming and self.incoming.late:
            raise Late
        return _DEFER

    def gather(self) -> bool:
        """Take what has come; whether the next request is whole, and is where the parser reads it first."""
        unreader = self.parser.unreader
        if self.incoming is None:
            self.incoming = Incoming(time.monotonic() + PATIENCE.request, bytearray(unreader.take_buffered()))
        if not self.incoming.take(self.sock):
            return False
        unreader.unread(bytes(self.incoming.came))
        self.incoming, self.served = None, True
        return True

    def cut(self) -> None:
        """End it under the thread that reads from it: what has come already would be read to its end otherwise."""
        with suppress(OSError), open(os.devnull, "rb") as nothing:
            os.dup2(nothing.fileno(), self.sock.fileno(), inheritable=False)

    def close(self, graceful: bool = False) -> None:
        """At once: gunicorn lingers for 2 s a connection, in the one thread that accepts."""
        super().close()


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn's threads, which get whole requests alone, and repeat to nobody what a bad request said."""

    connection = Connection

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._look_at, self._full = 0.0, False
        self._turns = Turns[Connection]()

    def accept(self, listener: socket.socket) -> None:
        """Take a connection."""
        try:
            client, address = listener.accept()
        except OSError as error:  # it has gone already, or no file is left for it
            self._full = error.errno in (errno.EMFILE, errno.ENFILE)
            return
        self.nr_conns += 1
        self.enqueue_req(self.connection(self.cfg, client, address, listener.getsockname()))

    def _cap_keepalive(self, deadline: float) -> None:
        """gunicorn's own two seconds are the time between two updates."""
        super()._cap_keepalive(deadline - STOP_KEEPALIVE_LINGER + LAST_WORDS)

    def finish_request(self, conn: Connection, done: object) -> None:
        """The same for whose request was being answered when the server was told to stop."""
        super().finish_request(conn, done)
        if not self.alive and self.keepalived_conns and self.keepalived_conns[-1] is conn:
            conn.timeout = time.monotonic() + LAST_WORDS

    def handle(self, conn: Connection) -> object:
        """What there is to do for a connection without waiting for it, in a thread."""
        again = self._turn(conn)
        while again is WHOLE:
            again = super().handle(conn)
            if again is True and self.alive and _asks_again(conn):
                again = self._turn(conn)
        return again

    def _turn(self, conn: Connection) -> object:
        with self._turns.of(conn):
            return self._gathered(conn)

    def _gathered(self, conn: Connection) -> object:
        """WHOLE, or what `handle` returns: True for a connection at rest, False for its end."""
        try:
            if not (conn.initialized or conn.secure()):
                return _DEFER
            if conn.gather():
                return WHOLE
            if conn.incoming and (conn.incoming.came or not conn.served):
                return conn.unfinished()
            conn.incoming = None
            return True
        except BlockingIOError:
            return _DEFER
        except (Refused, PlainText, ssl.SSLError) as error:
            conn.sock.setblocking(True)
            self.handle_error(None, conn.sock, conn.client, error)
        except (Ended, OSError):
            pass  # the peer has gone, or there is no certificate yet
        return False

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """While threads are at work, look soon whether anybody keeps one."""
        busy = self.nr_conns > len(self.pending_conns) + len(self.keepalived_conns)
        super().wait_for_and_dispatch_events(min(timeout, LOOK_EVERY) if busy else timeout)

    def murder_pending(self) -> None:
        """Make room, and let go who is late. Never while events are dispatched: one may be of who is gone."""
        if self._full or self.nr_conns >= self.max_keepalived:  # with more, every answer would end its connection
            self._full = False
            self._make_room()
        if time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + LOOK_EVERY
        for conn in self._turns.too_long():
            self.log.warning("%s keeps a thread at work, and sends no request", conn.client[0])
            conn.cut()
        for _ in range(too_many(conn.incoming for conn in self.pending_conns)):
            self._let_go(self.pending_conns, min(self.pending_conns, key=_since))
        for conn in [conn for conn in self.pending_conns if conn.incoming.late]:
            if conn.incoming.length:  # whoever has come that far is told
                self.on_pending_socket_readable(conn, conn.sock)
            else:
                self._let_go(self.pending_conns, conn)

    def _make_room(self) -> None:
        """By the peer that has most connections: who has a few, as an API server does, makes no room for a crowd."""
        waiting = (*self.pending_conns, *self.keepalived_conns)
        if waiting:
            crowds = Counter(conn.client[0] for conn in waiting)
            gone = min(waiting, key=lambda conn: (-crowds[conn.client[0]], conn.incoming is None, _since(conn)))
            self._let_go(self.pending_conns if gone.incoming else self.keepalived_conns, gone)

    def _let_go(self, conns: deque[Connection], conn: Connection) -> None:
        """Close a connection that no thread works on."""
        conns.remove(conn)
        self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()

    def handle_error(self, _request: object, client: socket.socket, address: tuple[str, int], error: Exception) -> None:
        """Answer what never became a request of the application."""
        if isinstance(error, ssl.SSLError):  # there is no way to answer
            self.log.warning("no TLS 1.3 with %s: %s", address[0], error.reason)
            return
        status, complaint = next((found[1:] for found in COMPLAINTS if isinstance(error, found[0])), (500, ""))
        said = complaint or f"{type(error).__name__} at {place(error)}, please report it"
        self.log.log(logging.WARNING if complaint else logging.ERROR, "a request of %s: %s", address[0], said)
        body = json.dumps({"error": complaint or "internal error"})
        head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nConnection: close\r\nContent-Type: application/json"
        with suppress(OSError):
            client.sendall(f"{head}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())


def _since(conn: Connection) -> float:
    """Orders connections by how long they have been there for nothing."""
    return conn.incoming.until if conn.incoming else float(conn.timeout)


def _asks_again(conn: Connection) -> bool:
    """Whether the next request comes soon: it is spared the way through the one poller, a quarter of its time."""
    if conn.parser.unreader.buf.getvalue() or conn.sock.pending():
        return True
    waiting = select.poll()
    waiting.register(conn.sock, select.POLLIN)
    return bool(waiting.poll(LINGER))
