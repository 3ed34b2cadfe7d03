"""The forwarder, on real sockets: it passes on every byte and every end, and refuses nobody while a target restarts."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from sandbox import forward
from sandbox.forward import Counters, serve

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def _listener() -> socket.socket:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    return listener


def _free_address() -> tuple[str, int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host, port = listener.getsockname()
        return host, port


async def _answer_in_capitals(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers only when the other side has said all: this needs the ends to be passed on one by one."""
    writer.write((await reader.read()).upper())
    writer.close()


async def _through(target: tuple[str, int], counters: Path, exchange: Callable[[str, int], Awaitable[bytes]]) -> bytes:
    """Runs the exchange with a forwarder in between."""
    listener = _listener()
    host, port = listener.getsockname()
    forwarder = asyncio.create_task(serve([(listener, target)], Counters(counters)))
    try:
        return await asyncio.wait_for(exchange(host, port), 20)
    finally:
        forwarder.cancel()


async def _say(text: bytes, host: str, port: int) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(text)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    return answer


def _exchange(handler: Handler, text: bytes, counters: Path) -> bytes:
    async def run() -> bytes:
        async with await asyncio.start_server(handler, "127.0.0.1", 0) as server:
            target = server.sockets[0].getsockname()
            return await _through(target, counters, lambda host, port: _say(text, host, port))

    return asyncio.run(run())


def test_the_end_of_the_request_is_passed_on_while_the_answer_is_still_to_come(tmp_path: Path) -> None:
    assert _exchange(_answer_in_capitals, b"hello", tmp_path / "counters") == b"HELLO"


def test_much_data_arrives_whole_at_a_slow_reader(tmp_path: Path) -> None:
    text = bytes(range(97, 123)) * 400_000

    async def slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.2)
        await _answer_in_capitals(reader, writer)

    assert _exchange(slowly, text, tmp_path / "counters") == text.upper()


def test_a_client_waits_for_a_target_that_is_being_started_again(tmp_path: Path) -> None:
    target = _free_address()

    async def run() -> bytes:
        async def start_late() -> asyncio.Server:
            await asyncio.sleep(0.3)
            return await asyncio.start_server(_answer_in_capitals, *target)

        late = asyncio.create_task(start_late())
        try:
            return await _through(target, tmp_path / "counters", lambda host, port: _say(b"late", host, port))
        finally:
            (await late).close()

    assert asyncio.run(run()) == b"LATE"
    assert not (tmp_path / "counters").exists()


def test_a_target_that_never_comes_is_counted_as_the_forwarders_own_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forward, "CONNECT_DEADLINE", 0.2)
    monkeypatch.setattr(forward, "COUNTERS", tmp_path / "counters")
    target = _free_address()

    async def impatient(host: str, port: int) -> bytes:
        try:
            return await _say(b"anybody?", host, port)
        except ConnectionError:
            return b""

    assert asyncio.run(_through(target, tmp_path / "counters", impatient)) == b""
    assert forward.failures()["connect"] == 1


def test_what_was_counted_outlives_the_process(tmp_path: Path) -> None:
    Counters(tmp_path / "counters").add("connect")
    Counters(tmp_path / "counters").add("connect")
    assert (tmp_path / "counters").read_text() == '{"connect": 2}'
