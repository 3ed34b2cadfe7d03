"""Builds the sandbox's parts that are not in the cache, and does nothing when all are."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from sandbox import cache, golang, preflight
from sandbox.parts import PARTS, Part
from sandbox.progress import say, step


def ensure(names: Iterable[str] | None = None) -> dict[str, Path]:
    """The programs of these parts of the sandbox (all, when none are named), by name; what is missing is built.

    Raises UserError when the host lacks something or a build fails.
    """
    wanted = set(names) if names is not None else {part.name for part in PARTS}
    return programs([part for part in PARTS if part.name in wanted])


def programs(parts: Sequence[Part]) -> dict[str, Path]:
    """The programs of any parts, the sandbox's or others, as `ensure` gives them."""
    if any(not entry(part).is_dir() for part in parts):
        with cache.locked():
            _build([part for part in parts if not entry(part).is_dir()])
    return {program: entry(part) / program for part in parts for program in part.programs}


def entry(part: Part) -> Path:
    """The directory in the cache that holds the part's programs and assets, once it is built."""
    return cache.entry("parts", part.name, part.version, part.key())


def _build(missing: list[Part]) -> None:
    if not missing:
        return  # another process has built them meanwhile
    preflight.go_program()
    preflight.check_disk(cache.root(), sum(part.gigabytes for part in missing))
    workshop = golang.Workshop(caches=cache.root() / "work", logs=cache.root() / "logs")
    began = time.monotonic()
    for position, part in enumerate(missing, start=1):
        _build_part(part, f"({position} of {len(missing)})", workshop)
    # Go's caches outlive a failure, so that the next attempt goes on from there.
    with step("removing Go's caches of these builds"):
        workshop.clear()
    say(f"all parts of the sandbox are built, it took {_minutes(time.monotonic() - began)}")


def _build_part(part: Part, position: str, workshop: golang.Workshop) -> None:
    memory = workshop.log(part).with_suffix(".seconds")
    last = f"took {_minutes(float(memory.read_text()))} last time" if memory.exists() else ""
    say(f"building {part.title} {position}, {last or f'expected {part.minutes:g} min'}")
    began = time.monotonic()
    with cache.new(entry(part)) as folder:
        golang.build(part, folder, workshop)
    cache.prune(entry(part), part.name)
    seconds = time.monotonic() - began
    memory.write_text(f"{seconds:.0f}")
    say(f"built {part.title} in {_minutes(seconds)}")


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.1f} min" if seconds >= 60 else f"{seconds:.0f} s"
