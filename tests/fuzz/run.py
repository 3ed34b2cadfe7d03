"""Inputs by number through the application, as the server hands them to it, and what came of them."""

import gc
import io
import json
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fuzz.laws import Answer, broken
from tests.fuzz.mutate import made
from tests.fuzz.seeds import reviews
from tests.webhook.deployments import SETTINGS
from webhook.app import create_app

LONGEST = 20.0
"""Seconds for one answer: it detects what hangs, on however busy a machine, and measures nothing."""

WARM = 500  # inputs until caches are full
MOST_GROWTH = 64  # MiB
MOST_OBJECTS = 5_000


@dataclass
class Report:
    """Of a run: how many were answered how, what was broken, and how much memory it took to the end."""

    answers: Counter[int] = field(default_factory=Counter)
    breaches: list[str] = field(default_factory=list)
    slowest: float = 0.0
    growth: int = 0
    objects: int = 0

    @property
    def count(self) -> int:
        return self.answers.total()


def fuzz(seed: str, numbers: Iterable[int]) -> Report:
    """Send these inputs, and judge every answer."""
    application, report = create_app(SETTINGS), Report()
    seeds = [json.dumps(each).encode() for each in reviews()]
    memory = objects = 0
    for count, number in enumerate(numbers):
        if count == WARM:
            memory, objects = resident(), live_objects()
        sent = made(seed, number, seeds)
        began = time.monotonic()
        answer = post(application, sent)
        took = time.monotonic() - began
        report.slowest = max(report.slowest, took)
        report.answers[answer.status] += 1
        problem = broken(sent, answer) or (f"it took {took:.0f} s" if took > LONGEST else "")
        if problem:
            report.breaches.append(f"{problem}: input {number} of seed {seed}")
    if memory:
        report.growth, report.objects = resident() - memory, live_objects() - objects
        if report.growth > MOST_GROWTH or report.objects > MOST_OBJECTS:
            report.breaches.append(f"{report.growth} MiB and {report.objects} objects more than at the beginning")
    return report


def fuzz_until(until: float, seed: str, numbers: Iterable[int]) -> Report:
    """The same, unless it is later than that (of the monotonic clock): then nothing."""
    return fuzz(seed, numbers) if time.monotonic() < until else Report()


def post(application: Any, body: bytes) -> Answer:
    """One request by WSGI, without a server."""
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/divert",
        "SERVER_NAME": "webhook",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    statuses: list[str] = []
    answered = b"".join(application.wsgi_app(environ, lambda status, *_: statuses.append(status)))
    return Answer(int(statuses[0].split()[0]), answered)


def resident() -> int:
    """MiB of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 // 1024**2


def live_objects() -> int:
    """How many objects the collector knows of, garbage left out."""
    gc.collect()
    return len(gc.get_objects())
