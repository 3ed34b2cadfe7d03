"""A server for webhooks of Canaries, run by the test where the analyzer's pod reaches it: it says what it is told."""

import json
import threading
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sandbox.layout import NODE_ADDRESS
from tests.bench.api import enter_sandbox
from tests.cluster.kubectl import Object

LONGEST = 120.0
"""Seconds that an answer may be held back."""


@dataclass
class Gatekeeper:
    """`says` has the status of each gate, by its name: 200 unless it is told otherwise. `asked` has every call."""

    address: str = ""
    says: defaultdict[str, int] = field(default_factory=lambda: defaultdict(lambda: 200))
    asked: list[tuple[str, Object]] = field(default_factory=list)
    silent: set[str] = field(default_factory=set)
    over: threading.Event = field(default_factory=threading.Event)

    def gate(self, kind: str, name: str = "", **fields: Any) -> Object:
        """A webhook of this type for an analysis; its name is the type's unless it is given."""
        name = name or kind
        return {"name": name, "type": kind, "url": f"{self.address}/{name}", **fields}

    def payloads(self, name: str) -> list[Object]:
        """What a gate was sent, in the order of the calls."""
        return [payload for called, payload in self.asked if called == name]

    def answer(self, name: str, payload: Object) -> tuple[int, str]:
        """The status and the words of an answer; of a gate that is silent, when all is over."""
        self.asked.append((name, payload))
        if name in self.silent:
            self.over.wait(LONGEST)
        return self.says[name], f"{name} says {self.says[name]}"


@contextmanager
def gatekeeper() -> Iterator[Gatekeeper]:
    """Answers on the node's own address, and a port that nobody else has."""
    keeper = Gatekeeper()
    with ThreadPoolExecutor(1, initializer=enter_sandbox) as inside:
        server = inside.submit(ThreadingHTTPServer, (NODE_ADDRESS, 0), _handler(keeper)).result()
    keeper.address = f"http://{NODE_ADDRESS}:{server.server_port}"
    with server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield keeper
        finally:
            keeper.over.set()
            server.shutdown()
            thread.join()


def _handler(keeper: Gatekeeper) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, words = keeper.answer(self.path.strip("/"), payload)
            body = b"" if status == 204 else words.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Silent: the test's output is what it asserts."""

    return Handler
