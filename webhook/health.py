"""A plain port beside a server's own: is it alive, is it ready, what has it done. For kubelet and Prometheus."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET6, has_dualstack_ipv6

METRICS_TYPE = "text/plain; version=1.0.0; charset=utf-8"


class Health(ThreadingHTTPServer):
    """Answers `/healthz`, `/readyz` and `/metrics` until its process ends."""

    daemon_threads = True
    address_family = AF_INET6 if has_dualstack_ipv6() else ThreadingHTTPServer.address_family

    def __init__(self, port: int, waits: Callable[[], str], metrics: Callable[[], bytes]) -> None:
        """`waits` says what is still missing for being ready, "" if nothing is."""
        super().__init__(("", port), _Handler)
        self.waits, self.metrics = waits, metrics

    def start(self) -> None:
        """Serve from a thread of its own."""
        threading.Thread(target=self.serve_forever, name="health", daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    server: Health
    timeout = 5  # seconds for a silent peer

    def do_GET(self) -> None:
        if self.path == "/healthz":
            self._answer(200, b"ok\n")
        elif self.path == "/readyz":
            waits = self.server.waits()
            self._answer(503 if waits else 200, f"{waits or 'ok'}\n".encode())
        elif self.path == "/metrics":
            self._answer(200, self.server.metrics(), METRICS_TYPE)
        else:
            self._answer(404, b"not found\n")

    def _answer(self, status: int, body: bytes, kind: str = "text/plain; charset=utf-8") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Probes come every few seconds, and say nothing."""
