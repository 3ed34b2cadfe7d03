"""Certificate and key change together, whatever dies on the way and whoever is reading."""

import os
import ssl
import stat
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from certs.authority import Pair, issue_ca, issue_serving
from certs.directory import publish, read
from certs.errors import Unwritable

NOW = datetime(2026, 3, 1, tzinfo=UTC)
CA = issue_ca(NOW)
CALLS = ("mkdir", "open", "symlink", "replace", "unlink")


class Crash(BaseException):
    """The process ends here: no handler of the code under test may catch it."""


def pair() -> Pair:
    return issue_serving(CA, ["detour.detour.svc"], NOW)


def crash_at(number: int, *, done: bool, patch: pytest.MonkeyPatch) -> list[str]:
    """Let the process die at the call of this number to the file system, before or after it has taken effect."""
    calls: list[str] = []

    def dying(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            calls.append(name)
            if len(calls) == number and not done:
                raise Crash
            number_of_this = len(calls)
            try:
                return real(*args, **kwargs)
            finally:
                if number_of_this == number:
                    raise Crash

        return call

    for name in CALLS:
        patch.setattr(os, name, dying(name, getattr(os, name)))
    return calls


def test_what_is_published_is_read_back_and_loads_as_a_server_certificate(tmp_path: Path) -> None:
    assert read(tmp_path / "tls") is None
    published = pair()
    publish(tmp_path / "tls", published)
    assert read(tmp_path / "tls") == published
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tmp_path / "tls/tls.crt", tmp_path / "tls/tls.key")
    assert stat.S_IMODE((tmp_path / "tls/tls.key").stat().st_mode) == 0o600


def test_a_poller_of_modification_times_notices_every_renewal(tmp_path: Path) -> None:
    seen = set()
    for _ in range(5):
        publish(tmp_path, pair())
        found = (tmp_path / "tls.crt").stat()
        seen.add((found.st_ino, found.st_mtime_ns))
    assert len(seen) == 5


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
def test_a_crash_at_any_step_leaves_a_whole_pair_and_the_next_attempt_succeeds(tmp_path: Path, done: bool) -> None:
    number = 0
    while True:
        number += 1
        target = tmp_path / str(number)
        old, new, later = pair(), pair(), pair()
        publish(target, old)
        with pytest.MonkeyPatch.context() as patch:
            calls = crash_at(number, done=done, patch=patch)
            try:
                publish(target, new)
            except Crash:
                pass
            else:
                assert len(calls) < number
                break
        assert read(target) in (old, new)
        assert ((target / "tls.crt").read_bytes(), (target / "tls.key").read_bytes()) in [
            (old.certificate, old.key),
            (new.certificate, new.key),
        ]
        publish(target, later)
        assert read(target) == later
    assert number > 5


def test_a_crash_at_the_first_publication_shows_nothing_or_everything(tmp_path: Path) -> None:
    for number in range(1, 9):
        target, only = tmp_path / str(number), pair()
        with pytest.MonkeyPatch.context() as patch:
            crash_at(number, done=True, patch=patch)
            with pytest.raises(Crash):
                publish(target, only)
        assert (target / "tls.crt").exists() <= (target / "tls.key").exists()
        assert read(target) in (None, only)


def test_a_reader_meets_no_mixed_pair_while_it_is_renewed_all_the_time(tmp_path: Path) -> None:
    pairs = [pair() for _ in range(20)]
    publish(tmp_path, pairs[0])
    stop, mixed, met = threading.Event(), [], set()

    def reading() -> None:
        while not stop.is_set():
            found = read(tmp_path)
            if found is not None:
                met.add(found)
                if found not in pairs:
                    mixed.append(found)

    reader = threading.Thread(target=reading)
    reader.start()
    for number in range(1, 400):
        publish(tmp_path, pairs[number % len(pairs)])
    stop.set()
    reader.join(timeout=10)
    assert not mixed
    assert len(met) > 3


def test_old_versions_and_the_leftovers_of_a_crash_are_removed(tmp_path: Path) -> None:
    (tmp_path / "..leftover").mkdir()
    for _ in range(5):
        publish(tmp_path, pair())
    assert len([entry for entry in tmp_path.iterdir() if entry.is_dir() and not entry.is_symlink()]) == 2


def test_plain_files_in_the_way_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "tls.crt").write_text("by hand")
    (tmp_path / "..data").mkdir()
    published = pair()
    publish(tmp_path, published)
    assert (tmp_path / "tls.crt").read_bytes() == published.certificate


def test_a_directory_that_cannot_be_written_is_said_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unwritable, match="mount a writable emptyDir"):
        publish(tmp_path / "file", pair())
