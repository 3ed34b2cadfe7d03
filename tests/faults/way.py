"""The way between a process on the host and the API server: a TCP proxy that can refuse, be silent, be slow, and cut.

TLS goes through it as it is, so neither side knows of it.
"""

import asyncio
import socket
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from sandbox import layout, record

Answer = TypeVar("Answer")
CHUNK = 64 * 1024


class Way:
    """One way, at first open. The methods may be called from any thread; `address` is what to connect to."""

    def __init__(self, host: str, port: int) -> None:
        self._target = host, port
        self._loop = asyncio.new_event_loop()
        self._open = asyncio.Event()
        self._open.set()
        self._delay = 0.0
        self._pairs: set[_Pair] = set()
        self._server: asyncio.Server | None = None
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port: int = found.getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, name="way", daemon=True)
        self._thread.start()
        self._now(self._listen())

    @property
    def address(self) -> str:
        """As a kubeconfig has it."""
        return f"https://127.0.0.1:{self.port}"

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Connections are reset, and new ones refused."""
        self._now(self._refuse())
        try:
            yield
        finally:
            self._now(self._listen())

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Connections are accepted and kept, and nothing passes; what was sent meanwhile arrives afterwards."""
        self._now(self._let(False))
        try:
            yield
        finally:
            self._now(self._let(True))

    @contextmanager
    def slow(self, seconds: float) -> Iterator[None]:
        """Everything arrives this much later."""
        self._delay = seconds
        try:
            yield
        finally:
            self._delay = 0.0

    def cut(self) -> int:
        """Reset all connections; new ones are welcome. Returns how many there were."""
        return self._now(self._cut())

    def forget(self) -> int:
        """Nothing passes ever again on the connections there are, and nobody is told; new ones are welcome."""
        return self._now(self._forget())

    @property
    def connections(self) -> int:
        """How many there are."""
        return len(self._pairs)

    def close(self) -> None:
        """End it."""
        self._now(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _now(self, doing: Coroutine[Any, Any, Answer]) -> Answer:
        return asyncio.run_coroutine_threadsafe(doing, self._loop).result(10)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def _refuse(self) -> None:
        if self._server:
            self._server.close()
        await self._cut()

    async def _end(self) -> None:
        await self._refuse()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _let(self, passing: bool) -> None:
        (self._open.set if passing else self._open.clear)()

    async def _cut(self) -> int:
        pairs = list(self._pairs)
        for pair in pairs:
            pair.reset()
        return len(pairs)

    async def _forget(self) -> int:
        for pair in self._pairs:
            pair.dead = True
        return len(self._pairs)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._open.wait()
        try:
            theirs = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        pair = _Pair((writer, theirs[1]))
        self._pairs.add(pair)
        try:
            with suppress(asyncio.CancelledError):  # it is the end of the way
                await asyncio.gather(self._relay(pair, reader, theirs[1]), self._relay(pair, theirs[0], writer))
        finally:
            self._pairs.discard(pair)
            pair.reset()

    async def _relay(self, pair: "_Pair", source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while chunk := await source.read(CHUNK):
                await asyncio.sleep(self._delay)
                await self._open.wait()
                if not pair.dead:
                    sink.write(chunk)
                    await sink.drain()
            if not pair.dead:
                sink.write_eof()


class _Pair:
    """Both sides of a connection."""

    def __init__(self, writers: tuple[asyncio.StreamWriter, asyncio.StreamWriter]) -> None:
        self._writers = writers
        self.dead = False

    def reset(self) -> None:
        for writer in self._writers:
            writer.transport.abort()


def api_port() -> int:
    """Where the sandbox's API server is on the host's loopback."""
    running = record.read()
    return (running.ports if running else layout.Ports.from_environment()).api


@contextmanager
def way(host: str, port: int) -> Iterator[Way]:
    """For the length of the block."""
    made = Way(host, port)
    try:
        yield made
    finally:
        made.close()
