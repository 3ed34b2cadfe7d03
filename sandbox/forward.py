"""Publishes the sandbox on the host's loopback, without a name, an interface or a firewall rule on the host.

The listening sockets were made in the host's network namespace and are handed in; this process runs inside the
sandbox's, so what it dials is dialled there. The supervisor holds the sockets as well: while this process is started
anew, clients wait in the backlog and are not refused.

Tests and the demo count failed requests, and the forwarder must never be the reason for one. What it fails at is
therefore counted apart: `failures()`.
"""

import asyncio
import contextlib
import functools
import json
import socket
import sys
from pathlib import Path
from typing import Any, cast

from sandbox import supervisor
from sandbox.layout import STATE

COUNTERS = STATE / "forwarder.json"
CONNECT_DEADLINE = 10.0
BACKLOG = 4096


def failures() -> dict[str, int]:
    """What the forwarder itself failed at since the sandbox is up.

    `connect`: clients sent away since nothing could be reached for ten seconds. `internal`: errors of its own.
    `restarts`: deaths, each of which cut the connections of its moment.
    """
    return {"connect": 0, "internal": 0, **_read(COUNTERS), "restarts": supervisor.restarts("forwarder")}


def _read(path: Path) -> dict[str, int]:
    try:
        return cast("dict[str, int]", json.loads(path.read_text()))
    except FileNotFoundError:
        return {}


class Counters:
    """Counts failures in a file, which outlives this process and is read by others."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._counts = _read(path)

    def add(self, name: str) -> None:
        self._counts[name] = self._counts.get(name, 0) + 1
        aside = self._path.with_suffix(".new")
        aside.write_text(json.dumps(self._counts))
        aside.replace(self._path)


class Side(asyncio.Protocol):
    """One side of a relayed connection: what it receives, its peer sends. Each direction ends by itself."""

    transport: asyncio.Transport
    peer: "Side"
    ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.peer.transport.write(data)

    def eof_received(self) -> bool:
        self.ended = True
        if self.peer.ended:
            self.transport.close()
            self.peer.transport.close()
        else:
            self.peer.transport.write_eof()
        return True

    def pause_writing(self) -> None:
        self.peer.transport.pause_reading()

    def resume_writing(self) -> None:
        self.peer.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        if hasattr(self, "peer"):  # or the client went away while it was dialled for
            self.peer.transport.close()


class Client(Side):
    """The side of the host. It reads nothing before the other side stands, so nothing is lost meanwhile."""

    def __init__(self, address: tuple[str, int], counters: Counters) -> None:
        self._address = address
        self._counters = counters

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.pause_reading()
        self._dialling = asyncio.create_task(self._dial())

    def connection_lost(self, exc: Exception | None) -> None:
        self._dialling.cancel()
        super().connection_lost(exc)

    async def _dial(self) -> None:
        try:
            async with asyncio.timeout(CONNECT_DEADLINE):
                upstream = await connect(self._address)
        except TimeoutError:
            self._counters.add("connect")
            self.transport.abort()
            return
        upstream.peer, self.peer = self, upstream
        upstream.transport.resume_reading()
        self.transport.resume_reading()


class Upstream(Side):
    """The side of the sandbox. It is probed: of a connection that the firewall has forgotten no end is ever heard."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.pause_reading()
        connection: socket.socket = self.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10)


async def connect(address: tuple[str, int]) -> Upstream:
    """Dials until it is answered: a target that is being started again is worth waiting for."""
    pause = 0.01
    while True:
        try:
            _, upstream = await asyncio.get_running_loop().create_connection(Upstream, *address)
            return upstream
        except OSError:
            await asyncio.sleep(pause)
            pause = min(2 * pause, 0.25)


async def serve(listeners: list[tuple[socket.socket, tuple[str, int]]], counters: Counters) -> None:
    """Relays every connection that these listeners accept, until it is cancelled."""
    loop = asyncio.get_running_loop()

    def complain(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        counters.add("internal")
        loop.default_exception_handler(context)

    loop.set_exception_handler(complain)
    async with contextlib.AsyncExitStack() as servers:
        for listener, address in listeners:
            accept = functools.partial(Client, address, counters)
            await servers.enter_async_context(await loop.create_server(accept, sock=listener, backlog=BACKLOG))
        await asyncio.Event().wait()


def main(arguments: list[str]) -> None:
    """Each argument is `<descriptor of a listening socket>=<host>:<port>`."""
    listeners = []
    for argument in arguments:
        descriptor, _, target = argument.partition("=")
        host, _, port = target.rpartition(":")
        listener = socket.socket(fileno=int(descriptor))
        listener.setblocking(False)
        listeners.append((listener, (host, int(port))))
    asyncio.run(serve(listeners, Counters(COUNTERS)))


if __name__ == "__main__":
    main(sys.argv[1:])
