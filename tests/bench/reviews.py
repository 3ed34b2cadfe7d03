"""How fast the webhook answers: the decision by itself, and one replica on one processor, beside a bare Go server."""

import http.client
import json
import os
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from tests.bench import bare
from tests.bench.distribution import milliseconds, percentile, summary
from tests.bench.figure import SHORT, Figure, say
from tests.webhook.deployments import SETTINGS, changed, deployment, template
from tests.webhook.model import review
from tests.webhook.serving import HOST, Running, eventually, free_port, write_certificate
from webhook.divert import divert
from webhook.review import parse, respond

USUAL, LARGE = 16 * 1024, 300 * 1024  # bytes of a review
LONGEST = {USUAL: 0.001, LARGE: 0.020}  # seconds at p99
FEWEST, SLOWEST = 400, 0.020  # a second; seconds at p99
CONNECTIONS = 8
SECONDS = 3 if SHORT else 15
REPETITIONS = 200 if SHORT else 2000


def figures() -> list[Figure]:
    """Two of the decision, and one of the server."""
    return [*(_decision(size) for size in LONGEST), _served()]


def a_review(size: int, number: int = 0) -> bytes:
    """An update of a Deployment that is diverted; the review has about so many bytes."""
    env = [{"name": f"NAME_{n}", "value": "x" * 40} for n in range((size - 1500) // 150)]
    old = deployment(template("podinfo:1", env=env))
    return json.dumps(review(changed(old, template(f"podinfo:{number + 2}", env=env)), old)).encode()


def _decision(size: int) -> Figure:
    body, took = a_review(size), []
    for _ in range(REPETITIONS):
        began = time.perf_counter()
        asked = parse(body)
        json.dumps(respond(asked, divert(asked, SETTINGS, datetime.now(UTC))))
        took.append(time.perf_counter() - began)
    worst = percentile(took, 99)
    return Figure(
        name=f"the decision, a review of {len(body) // 1024} KB: read, decided, written, p99",
        goal=f"≤ {LONGEST[size] * 1000:.0f} ms",
        measured=f"{worst * 1000:.2f} ms",
        reference="-",
        holds=worst <= LONGEST[size],
        details=(summary(took),),
    )


def _served() -> Figure:
    say(f"  one replica on one processor, {CONNECTIONS} connections")
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        write_certificate(directory, "webhook")
        with _detour(directory) as port:
            ours = _asked(port)
        with _bare(directory) as port:
            theirs = _asked(port)
    rate, worst = len(ours) / SECONDS, percentile(ours, 99)
    return Figure(
        name="reviews of 16 KB over kept connections, one replica on one processor",
        goal=f"≥ {FEWEST}/s at p99 ≤ {SLOWEST * 1000:.0f} ms",
        measured=f"{rate:.0f}/s, p99 {milliseconds(worst)}",
        reference=f"bare Go server {len(theirs) / SECONDS:.0f}/s, p99 {milliseconds(percentile(theirs, 99))}",
        holds=rate >= FEWEST and worst <= SLOWEST,
        details=(f"Detour: {summary(ours)}", f"bare Go server: {summary(theirs)}"),
    )


@contextmanager
def _on_processor(number: int) -> Iterator[None]:
    """What is started here may run on this processor alone, where there are several."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(before)[number % len(before)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def _detour(directory: Path) -> Iterator[int]:
    with _on_processor(0):
        server = Running(directory)
    try:
        eventually(lambda: server.health("/readyz")[0] == 200)
        yield server.port
    finally:
        server.stop()


@contextmanager
def _bare(directory: Path) -> Iterator[int]:
    port, program = free_port(), bare.build(directory)
    with _on_processor(0):
        process = subprocess.Popen([str(program), f"-listen={HOST}:{port}", f"-tls={directory}"])
    try:
        eventually(lambda: _listens(port))
        yield port
    finally:
        process.terminate()
        process.wait(timeout=10)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _asked(port: int) -> list[float]:
    """The seconds of every answer, while CONNECTIONS peers ask as fast as they are answered."""
    took: list[float] = []
    with _on_processor(1):
        until = time.monotonic() + SECONDS
        peers = [threading.Thread(target=_peer, args=(port, until, took)) for _ in range(CONNECTIONS)]
        for peer in peers:
            peer.start()
        for peer in peers:
            peer.join()
    return took


def _peer(port: int, until: float, took: list[float]) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection(HOST, port, timeout=10, context=context)
    body = a_review(USUAL)
    while time.monotonic() < until:
        began = time.perf_counter()
        connection.request("POST", "/divert", body, {"Content-Type": "application/json"})
        answer = connection.getresponse().read()
        took.append(time.perf_counter() - began)
        assert json.loads(answer)["response"]["patch"], answer
    connection.close()
