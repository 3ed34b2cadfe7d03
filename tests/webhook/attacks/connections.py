"""Attacks by who opens a connection and never gets to a request."""

import itertools
import os
import socket
import ssl
import struct
from contextlib import suppress

from tests.webhook.attacks.target import CROWD, Target, context_of, crowd, paced, said


def silent(target: Target) -> int:
    return crowd(target, CROWD, target.plain)


def one_byte(target: Target) -> int:
    return crowd(target, CROWD, lambda: said(target.plain(), b"\x16"))


def half_closed(target: Target) -> int:
    def begin() -> socket.socket:
        peer = target.plain()
        peer.shutdown(socket.SHUT_WR)
        return peer

    return crowd(target, CROWD, begin)


def plain_text(target: Target) -> int:
    """HTTP to a port that speaks TLS, by somebody who stays for the answer."""
    return crowd(target, 100, lambda: said(target.plain(), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"))


def slow_handshakes(target: Target) -> int:
    hello = _hello()
    begun: dict[socket.socket, int] = {}

    def prod(peer: socket.socket) -> None:
        at = begun[peer] = begun.get(peer, 0) + 1
        peer.send(hello[at - 1 : at])

    return crowd(target, 200, target.plain, prod)


def garbage(target: Target) -> int:
    def act() -> None:
        for begin in (target.plain, target.secure):
            with begin() as peer:
                peer.sendall(b"\x16\x03\x01" * (begin == target.plain) + os.urandom(2000))

    return paced(target, 0.05, act)


def old_tls(target: Target) -> int:
    """TLS 1.0 to 1.2, and a second handshake within a connection."""
    versions = itertools.cycle([ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2])

    def act() -> None:
        with suppress(OSError):
            target.secure(next(versions)).close()
        with target.secure() as peer:
            os.write(peer.fileno(), _hello())
            peer.recv(1)

    return paced(target, 0.05, act)


def resets(target: Target) -> int:
    """Who comes, says something and is gone."""

    def act() -> None:
        peer = target.plain()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.send(b"\x16")
        peer.close()

    return paced(target, 0.005, act)


def _hello() -> bytes:
    """The first message of a TLS client."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        context_of(ssl.TLSVersion.TLSv1_3).wrap_bio(incoming, outgoing).do_handshake()
    return outgoing.read()
