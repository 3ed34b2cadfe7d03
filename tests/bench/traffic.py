"""Users at a constant rate: a request is sent when it is due, whatever became of those before, and never again.

Half of them are sent over connections kept open, half over a new one each. Each `Traffic` is a process of its own with
one event loop, so that several at once do not wait for each other; how late each request was sent is in the account.
They are in the sandbox's own network: its forwarder on the host has one processor's worth of requests, and no more.
"""

import asyncio
import contextlib
import multiprocessing
import os
import time
from collections.abc import AsyncIterator, Mapping
from multiprocessing.connection import Connection

from sandbox.layout import INGRESS_ADDRESS
from tests.bench.answers import Answer, Reply, read
from tests.bench.api import enter_sandbox

INGRESS = ("127.0.0.1", int(os.environ.get("DETOUR_SANDBOX_HTTP_PORT", "8080")))
"""As the host sees it."""
INSIDE = (INGRESS_ADDRESS, 80)
"""As the sandbox's network does."""
PATIENCE = 10.0  # seconds until a request without an answer has failed
PATH = "/api/info"

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_SPAWN = multiprocessing.get_context("spawn")


class Traffic:
    """`count` requests to `host` at `rate` a second; only answers that carry `message` are of the right application.

    `headers` are what makes these users others than the rest.
    """

    def __init__(
        self,
        host: str,
        message: str,
        rate: float,
        count: int,
        address: tuple[str, int] = INSIDE,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._mine, theirs = _SPAWN.Pipe()
        users = _Users(address, host, message, headers or {})
        arguments = (theirs, users, rate, count)
        self._process = _SPAWN.Process(target=_generate, args=arguments, name=f"traffic-{host}", daemon=True)
        self._longest = count / rate + 2 * PATIENCE

    def start(self) -> float:
        """Send the first request now. Returns when that was, on the monotonic clock."""
        self._process.start()
        if not self._mine.poll(30):
            raise TimeoutError("the traffic generator does not start")
        return float(self._mine.recv())

    def stop(self) -> list[Answer]:
        """Send no more; the account of all that were sent, when the last answer is in."""
        self._mine.send("stop")
        return self.join()

    def join(self) -> list[Answer]:
        """The account, when the last answer is in."""
        if not self._mine.poll(self._longest):
            raise TimeoutError("the traffic generator is stuck: its account is lost")
        answers: list[Answer] = self._mine.recv()
        return answers

    def close(self) -> None:
        """End the process, whatever it is doing."""
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _generate(pipe: Connection, users: "_Users", rate: float, count: int) -> None:
    if users.address == INSIDE:
        enter_sandbox()
    with contextlib.suppress(KeyboardInterrupt):  # the parent hears of it, too, and has the say
        pipe.send(asyncio.run(users.send(pipe, rate, count)))


class _Users:
    def __init__(self, address: tuple[str, int], host: str, message: str, headers: Mapping[str, str]) -> None:
        self.address = address
        self._host = host
        self._message = message
        self._headers = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._idle: list[Streams] = []

    async def send(self, pipe: Connection, rate: float, count: int) -> list[Answer]:
        begin = time.monotonic()
        pipe.send(begin)
        running: list[asyncio.Task[Answer]] = []
        for number in range(count):
            due = begin + number / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if pipe.poll():
                break
            running.append(asyncio.create_task(self._ask(number, due)))
        answers = await asyncio.gather(*running)
        for _, writer in self._idle:
            writer.close()
        return answers

    async def _ask(self, number: int, due: float) -> Answer:
        kept, at = number % 2 == 0, time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE), self._connection(kept) as streams:
                reply = read(*await exchange(streams, self._request(number, kept)), self._message)
        except TimeoutError:
            reply = Reply(failure=f"no answer in {PATIENCE:.0f} s")
        except asyncio.IncompleteReadError:
            reply = Reply(failure="cut off")
        except (OSError, ValueError) as error:
            reply = Reply(failure=type(error).__name__)
        seconds = time.monotonic() - at
        return Answer(number, at, at - due, seconds, kept, reply.pod, reply.version, reply.failure)

    def _request(self, number: int, kept: bool) -> bytes:
        """The number is in the query, so that a request that failed is found in the log of the Ingress controller."""
        connection = "keep-alive" if kept else "close"
        first = f"GET {PATH}?n={number} HTTP/1.1\r\nHost: {self._host}\r\nConnection: {connection}\r\n"
        return f"{first}{self._headers}\r\n".encode()

    @contextlib.asynccontextmanager
    async def _connection(self, kept: bool) -> AsyncIterator[Streams]:
        """A connection of its own; a kept one is put back only after a whole answer, and not used once it is closed."""
        streams = None
        while kept and self._idle and streams is None:
            reader, writer = self._idle.pop()
            if reader.at_eof() or writer.is_closing():
                writer.close()
            else:
                streams = reader, writer
        streams = streams or await asyncio.open_connection(*self.address)
        try:
            yield streams
        except BaseException:
            streams[1].transport.abort()
            raise
        if kept:
            self._idle.append(streams)
        else:
            streams[1].close()


async def exchange(streams: Streams, request: bytes) -> tuple[int, bytes]:
    """Send one request and read its whole answer: status and body.

    Raises IncompleteReadError when the answer ends too early, ValueError for what is no HTTP.
    """
    reader, writer = streams
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    status = int(first.split()[1]) if first.startswith("HTTP/1.") else 0
    if not status:
        raise ValueError(f"no HTTP answer: {first[:40]!r}")
    if "content-length" in headers:
        return status, await reader.readexactly(int(headers["content-length"]))
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return status, await _chunks(reader)
    raise ValueError("an answer without a length")


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readuntil(b"\r\n")
    return body
