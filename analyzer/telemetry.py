"""What the analyzer tells about itself: health, readiness and metrics, on a plain port of its own."""

import logging
import threading
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REGISTRY = CollectorRegistry()
RECONCILE_SECONDS = Histogram(
    "detour_reconcile_seconds", "Time to look at one application and do what there is to do.", registry=REGISTRY
)
ACTIONS = Counter("detour_actions_total", "Actions carried out, by kind.", ["action"], registry=REGISTRY)
FAILURES = Counter("detour_reconcile_failures_total", "Looks that failed and are tried again.", registry=REGISTRY)
LEADING = Gauge("detour_leading", "1 while this replica leads.", registry=REGISTRY)

log = logging.getLogger(__name__)


def serve(port: int, ready: Callable[[], str]) -> ThreadingHTTPServer:
    """Answer /healthz, /readyz and /metrics in a thread; `ready` says what is still waited for, "" for nothing."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 5

        def do_GET(self) -> None:
            """The three pages."""
            if self.path == "/metrics":
                self._answer(200, generate_latest(REGISTRY), "text/plain; version=0.0.4; charset=utf-8")
            elif self.path == "/healthz":
                self._answer(200, b"ok\n")
            elif self.path == "/readyz":
                waits = ready()
                self._answer(503 if waits else 200, f"{waits or 'ok'}\n".encode())
            else:
                self._answer(404, b"not found\n")

        def _answer(self, status: int, body: bytes, content_type: str = "text/plain; charset=utf-8") -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Probes are not worth a line each."""

    server = ThreadingHTTPServer(("", port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="telemetry", daemon=True).start()
    return server


def waits_for(*conditions: tuple[str, Callable[[], bool]]) -> Callable[[], str]:
    """A `ready` for `serve`: the names of those conditions that do not hold yet."""

    def names() -> Iterable[str]:
        return (f"waiting for {name}" for name, holds in conditions if not holds())

    return lambda: ", ".join(names())
