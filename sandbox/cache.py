"""Keeps what is expensive to make, an entry per name, version and hash of its inputs: complete, or not there at all."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.errors import UserError
from sandbox.progress import say

LOCK_SECONDS = 60 * 60
_UNFINISHED = ".unfinished-"


def root() -> Path:
    """`$DETOUR_CACHE`, else `detour` in the user's cache directory of the XDG base directory specification."""
    if chosen := os.environ.get("DETOUR_CACHE"):
        return Path(chosen).absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "detour"


def entry(kind: str, name: str, version: str, key: str) -> Path:
    """Where this entry is, or will be. It exists only when it is complete."""
    return root() / kind / f"{name}-{version}-{key}"


@contextmanager
def locked() -> Iterator[None]:
    """Lets one process at a time make entries; the others wait, since what they want is probably being made."""
    root().mkdir(parents=True, exist_ok=True)
    with (root() / "lock").open("w") as lock:
        deadline = time.monotonic() + LOCK_SECONDS
        said = False
        while not _taken(lock.fileno()):
            if not said:
                say(f"waiting for another build in {root()}")
                said = True
            if time.monotonic() > deadline:
                raise UserError(f"Another build has held {lock.name} for an hour: end it, then try again.")
            time.sleep(1)
        yield


def _taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def new(path: Path) -> Iterator[Path]:
    """A directory to fill, which becomes the entry `path` when the block ends well. Call it with the lock held.

    An entry survives a power failure whole, since it is on the disk before it has its name.
    """
    unfinished = path.with_name(_UNFINISHED + path.name)
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        yield unfinished
        for file in sorted(unfinished.rglob("*")):
            _flush(file)
        _flush(unfinished)
        unfinished.rename(path)
        _flush(path.parent)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def prune(path: Path, name: str) -> None:
    """Removes what `path` supersedes, and what a killed build left of this name. Call it with the lock held."""
    superseded = re.compile(rf"({re.escape(_UNFINISHED)})?{re.escape(name)}-[^-]+-[0-9a-f]+")
    for other in path.parent.iterdir():
        if other != path and superseded.fullmatch(other.name):
            shutil.rmtree(other)
