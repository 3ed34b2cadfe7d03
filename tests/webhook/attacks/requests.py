"""Attacks by requests: slow ones, endless ones, large ones, and such as are no reviews; and those to a plain port."""

import http.client
import itertools
import json
import socket
import ssl

from tests.webhook.attacks.target import CROWD, LONGEST, Target, context_of, crowd, paced, said
from tests.webhook.deployments import changed, deployment, template
from tests.webhook.model import review

MIB = 1024 * 1024
HEAD = b"POST /divert HTTP/1.1\r\nHost: webhook\r\nContent-Type: application/json\r\n"
PLAIN = b"GET /metrics HTTP/1.1\r\nHost: webhook\r\n"


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


def _post(target: Target, body: bytes) -> None:
    connection = _connection(target)
    try:
        _ask(connection, body)
    finally:
        connection.close()


def _connection(target: Target) -> http.client.HTTPSConnection:
    context = context_of(ssl.TLSVersion.TLSv1_3)
    return http.client.HTTPSConnection(target.host, target.port, timeout=LONGEST, context=context)


def _ask(connection: http.client.HTTPSConnection, body: bytes) -> None:
    try:
        connection.request("POST", "/divert", body, {"Content-Type": "application/json"})
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        connection.close()
        raise


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
