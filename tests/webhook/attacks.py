"""What anybody who reaches a port of ours can do to it.

`python -m tests.webhook.attacks tls|plain HOST PORT SECONDS [NAME...]`: to the port of the webhook, or to a plain one.
Each is bounded in number and pace, runs against one address for a time, and takes whatever comes of it. They run in a
process of their own, so that who is measured meanwhile does not share an interpreter with them.
"""

import http.client
import itertools
import json
import os
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.webhook.deployments import changed, deployment, template
from tests.webhook.model import review

ROOT = Path(__file__).parents[2]
CROWD = 500  # sockets
PACE = 0.5  # seconds between two bytes of somebody slow
LONGEST = 3.0  # seconds for a connection or an answer
MIB = 1024 * 1024
BEGUN = "begun\n"
HEAD = b"POST /divert HTTP/1.1\r\nHost: webhook\r\nContent-Type: application/json\r\n"
PLAIN = b"GET /metrics HTTP/1.1\r\nHost: webhook\r\n"


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
            return _context(newest).wrap_socket(raw)
        except OSError:
            raw.close()
            raise


Attack = Callable[[Target], int]
"""Returns how many connections or requests it made."""


def _context(newest: ssl.TLSVersion) -> ssl.SSLContext:
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


def slow_heads(target: Target) -> int:
    return crowd(target, 300, lambda: said(target.secure(), HEAD + b"X: "), lambda peer: peer.send(b"x"))


def slow_bodies(target: Target) -> int:
    begin = HEAD + b"Content-Length: 99999\r\n\r\n{"
    return crowd(target, 300, lambda: said(target.secure(), begin), lambda peer: peer.send(b" "))


def slow_large_bodies(target: Target) -> int:
    """Much at once, and the rest never."""
    begin = HEAD + b"Content-Length: %d\r\n\r\n" % (7 * MIB) + b" " * MIB
    return crowd(target, 60, lambda: said(target.secure(), begin), lambda peer: peer.send(b" "))


def silent_after_too_much(target: Target) -> int:
    """A body that is announced and refused, and that nobody ever sends."""
    begin = HEAD + b"Content-Length: %d\r\n\r\n" % (8 * MIB)
    return crowd(target, 200, lambda: said(target.secure(), begin))


def deaf(target: Target) -> int:
    """Who asks for a large answer and never reads it."""
    old = deployment(template("podinfo:1", args=["x" * 200_000]))
    body = json.dumps(review(changed(old, template("podinfo:2", args=["x" * 200_000])), old)).encode()
    whole = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body

    def begin() -> socket.socket:
        peer = target.secure()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        return said(peer, whole)

    return crowd(target, 40, begin)


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


def endless_bodies(target: Target) -> int:
    def act() -> None:
        with target.secure() as peer:
            peer.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
            for _ in range(1024):
                peer.sendall(b"10000\r\n" + b" " * 0x10000 + b"\r\n")

    return paced(target, 0.1, act)


def endless_heads(target: Target) -> int:
    def act() -> None:
        with target.secure() as peer:
            peer.sendall(HEAD)
            for _ in range(1024):
                peer.sendall(b"X: " + b"x" * 4096 + b"\r\n")

    return paced(target, 0.1, act)


def large_bodies(target: Target) -> int:
    """8 MiB, and what is just not too much: with nothing in it, and with as many values as there can be."""
    bodies = itertools.cycle(
        [b" " * (8 * MIB), b'["' + b"x" * (7 * MIB - 4) + b'"]', b"[" + b"{}," * (7 * MIB // 3 - 1) + b"0]"]
    )
    return paced(target, 0.3, lambda: _post(target, next(bodies)))


def bad_reviews(target: Target) -> int:
    """What is no review, in every way, on connections that are kept."""
    bodies = itertools.cycle(_no_reviews())
    connection = _connection(target)
    made = paced(target, 0.02, lambda: _ask(connection, next(bodies)))
    connection.close()
    return made


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


def slow_plain_heads(target: Target) -> int:
    return crowd(target, CROWD, lambda: said(target.plain(), PLAIN + b"X: "), lambda peer: peer.send(b"x"))


def endless_plain_heads(target: Target) -> int:
    def act() -> None:
        with target.plain() as peer:
            for _ in range(1024):
                peer.sendall(PLAIN * 100)

    return paced(target, 0.1, act)


def many_plain(target: Target) -> int:
    """Good requests, one after the other, of somebody who never reads."""

    def begin() -> socket.socket:
        peer = target.plain()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        return said(peer, PLAIN + b"\r\n")

    return crowd(target, 100, begin)


ATTACKS: dict[str, Attack] = {
    "500 silent sockets": silent,
    "500 sockets that send one byte": one_byte,
    "500 half-closed sockets": half_closed,
    "plain HTTP": plain_text,
    "handshakes byte by byte": slow_handshakes,
    "300 heads byte by byte": slow_heads,
    "300 bodies byte by byte": slow_bodies,
    "60 bodies of 7 MiB that stop after one": slow_large_bodies,
    "too large a body, announced and never sent": silent_after_too_much,
    "40 who do not read their answer": deaf,
    "endless bodies": endless_bodies,
    "endless heads": endless_heads,
    "bodies of 7 and 8 MiB": large_bodies,
    "50 bad reviews a second": bad_reviews,
    "garbage": garbage,
    "TLS 1.0 to 1.2, and handshakes within a connection": old_tls,
    "200 connections a second, reset": resets,
}
"""On the port of the webhook."""

PLAIN_ATTACKS: dict[str, Attack] = {
    "500 silent sockets": silent,
    "500 sockets that send one byte": one_byte,
    "500 half-closed sockets": half_closed,
    "500 heads byte by byte": slow_plain_heads,
    "endless heads": endless_plain_heads,
    "100 who do not read their answer": many_plain,
    "200 connections a second, reset": resets,
}
"""On a plain port, of the webhook or of the analyzer."""

KINDS = {"tls": ATTACKS, "plain": PLAIN_ATTACKS}


def _post(target: Target, body: bytes) -> None:
    connection = _connection(target)
    try:
        _ask(connection, body)
    finally:
        connection.close()


def _connection(target: Target) -> http.client.HTTPSConnection:
    context = _context(ssl.TLSVersion.TLSv1_3)
    return http.client.HTTPSConnection(target.host, target.port, timeout=LONGEST, context=context)


def _ask(connection: http.client.HTTPSConnection, body: bytes) -> None:
    try:
        connection.request("POST", "/divert", body, {"Content-Type": "application/json"})
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        connection.close()
        raise


def _hello() -> bytes:
    """The first message of a TLS client."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        _context(ssl.TLSVersion.TLSv1_3).wrap_bio(incoming, outgoing).do_handshake()
    return outgoing.read()


def _no_reviews() -> list[bytes]:
    good = json.dumps(review(changed(deployment(), template("podinfo:2")), deployment())).encode()
    return [
        good[:-1] + b', "x": ' + b'{"a":' * 50_000,
        b"[" * 1_000_000,
        good.replace(b'"uid"', b'"n": NaN, "uid"'),
        good.replace(b'"uid"', b'"uid": "1", "uid": 2, "uid"'),
        good.replace(b'"uid"', b'"n": ' + b"9" * 100_000 + b', "uid"'),
        good.replace(b'"uid"', b'"n": 1e999999999, "uid"'),
        good.replace(b"podinfo", b"\xff\xfe\xc0\x80"),
        good.replace(b"podinfo", b"\\ud800"),
        good.replace(b"k8s.io/v1", b"k8s.io/v1beta1"),
        good.replace(b"AdmissionReview", b"Review"),
        b"",
        b"\x00" * 10_000,
    ]


@contextmanager
def under(kind: str, names: Iterable[str], host: str, port: int, seconds: float, *enter: str) -> Iterator[Counter[str]]:
    """While these attacks run, in a process of their own; `enter` is the command that starts it elsewhere.

    How many connections and requests each made is known afterwards.
    """
    command = [
        *enter,
        sys.executable,
        "-W",
        "ignore::DeprecationWarning",
        "-m",
        __name__,
        kind,
        host,
        str(port),
        str(seconds),
        *names,
    ]
    made: Counter[str] = Counter()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as attackers:
        assert attackers.stdout
        assert attackers.stdout.readline() == BEGUN, f"no attack has begun: {command}"
        try:
            yield made
        finally:
            told, _ = attackers.communicate(timeout=60)
            made.update(json.loads(told or "{}"))
    assert attackers.returncode == 0, f"an attack broke down: {command}"
    assert made, "nobody has said what was done"
    assert all(made.values()), f"some did nothing: {dict(made)}"


def main(kind: str, host: str, port: str, seconds: str, *names: str) -> None:
    """Ends early when its standard input does. Prints how many connections and requests each made."""
    attacks = KINDS[kind]
    target = Target(host, int(port), time.monotonic() + float(seconds))
    threading.Thread(target=_until_eof, args=[target.stopped], daemon=True).start()
    print(BEGUN, end="", flush=True)
    with ThreadPoolExecutor(len(attacks)) as pool:
        running = {name: pool.submit(attacks[name], target) for name in names or attacks}
    print(json.dumps({name: done.result() for name, done in running.items()}))


def _until_eof(stopped: threading.Event) -> None:
    sys.stdin.read()
    stopped.set()


if __name__ == "__main__":
    main(*sys.argv[1:])
