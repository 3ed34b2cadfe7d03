"""A plain port beside a server's own: is it alive, is it ready, what has it done. For kubelet and Prometheus.

Anybody can reach it, and a probe that is kept waiting restarts the pod: so nobody has a thread here, nobody is waited
for, and the room for connections is bounded.
"""

import asyncio
import logging
import socket
import threading
from collections import deque
from collections.abc import Callable
from http import HTTPStatus

METRICS_TYPE = "text/plain; version=1.0.0; charset=utf-8"
TEXT_TYPE = "text/plain; charset=utf-8"

PATIENCE = 5.0
"""Seconds for a whole request and its answer."""

MOST = 128
"""Connections at once; for another one the oldest has to go."""

LARGEST_HEAD = 8 * 1024

log = logging.getLogger(__name__)


class Health:
    """Answers `/healthz`, `/readyz` and `/metrics` until its process ends."""

    def __init__(self, port: int, waits: Callable[[], str], metrics: Callable[[], bytes]) -> None:
        """`waits` says what is still missing for being ready, "" if nothing is. Raises OSError if the port is taken."""
        both = socket.has_dualstack_ipv6()
        family = socket.AF_INET6 if both else socket.AF_INET
        self._socket = socket.create_server(("", port), family=family, backlog=MOST, dualstack_ipv6=both)
        self._waits, self._metrics = waits, metrics
        self._open: deque[asyncio.StreamWriter] = deque()

    def start(self) -> None:
        """Serve from a thread of its own."""
        threading.Thread(target=asyncio.run, args=[self._serve()], name="health", daemon=True).start()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._connected, sock=self._socket, limit=LARGEST_HEAD, backlog=MOST)
        await server.serve_forever()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.append(writer)
        if len(self._open) > MOST:
            self._open[0].transport.abort()
        try:
            async with asyncio.timeout(PATIENCE):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(self._answer(head.split(b"\r\n", 1)[0].decode("latin-1")))
                writer.close()  # once it is sent, for which nobody waits any longer either
                await writer.wait_closed()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # gone, too slow, or no request at all
        except Exception:
            log.exception("a fault of ours")
        finally:
            self._open.remove(writer)
            writer.transport.abort()

    def _answer(self, request: str) -> bytes:
        method, _, rest = request.partition(" ")
        path = rest.partition(" ")[0]
        if method not in ("GET", "HEAD"):
            return _response(HTTPStatus.METHOD_NOT_ALLOWED, b"only GET\n")
        if path == "/healthz":
            return _response(HTTPStatus.OK, b"ok\n")
        if path == "/readyz":
            waits = self._waits()
            return _response(HTTPStatus.SERVICE_UNAVAILABLE if waits else HTTPStatus.OK, f"{waits or 'ok'}\n".encode())
        if path == "/metrics":
            return _response(HTTPStatus.OK, self._metrics(), METRICS_TYPE)
        return _response(HTTPStatus.NOT_FOUND, b"not found\n")


def _response(status: HTTPStatus, body: bytes, kind: str = TEXT_TYPE) -> bytes:
    head = f"HTTP/1.1 {status} {status.phrase}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}"
    return f"{head}\r\nConnection: close\r\n\r\n".encode() + body
