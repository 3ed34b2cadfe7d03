"""Runs Go for one part with caches of its own, keeps what it prints, and says how far it is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sandbox.errors import UserError
from sandbox.parts import FLAGS, Part
from sandbox.preflight import go_program
from sandbox.progress import say

STEP_SECONDS = 60 * 60
QUIET_SECONDS = 30
FETCH_PAUSES = (5, 20, 60)
LOG_LINES_SHOWN = 15
_CLEAR_LINE = "\r\x1b[K"


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where parts are built: Go's caches, worth their gigabytes only while something is being built, and the logs."""

    caches: Path
    logs: Path

    def environment(self) -> dict[str, str]:
        for name in ("modules", "objects", "temporary"):
            (self.caches / name).mkdir(parents=True, exist_ok=True)
        return os.environ | {
            "CGO_ENABLED": "0",
            "GOCACHE": str(self.caches / "objects"),
            "GOFLAGS": f"-mod=readonly -modcacherw {FLAGS}",
            "GOMODCACHE": str(self.caches / "modules"),
            "GOTMPDIR": str(self.caches / "temporary"),
            "GOWORK": "off",
        }

    def log(self, part: Part) -> Path:
        self.logs.mkdir(parents=True, exist_ok=True)
        return self.logs / f"{part.name}.log"

    def clear(self) -> None:
        shutil.rmtree(self.caches, ignore_errors=True)


def build(part: Part, folder: Path, workshop: Workshop) -> None:
    """Puts the part's programs and assets into `folder`. Raises UserError when Go fails, which names the log."""
    log = workshop.log(part)
    log.write_text("")
    if part.programs:
        _compile(part, folder, workshop)
    for module, asset in part.assets.items():
        shutil.copytree(_module_directory(part, module, workshop) / asset, folder / asset)


def _compile(part: Part, folder: Path, workshop: Workshop) -> None:
    log, packages = workshop.log(part), _fetch(part, workshop)

    def compiled() -> str:
        return f"{part.title}: {_lines(log)} of {packages} packages compiled"

    log.write_text("")
    command = ["build", "-v", "-o", f"{folder}/", "-tags", part.tags, "-ldflags", part.linker_flags]
    if not _run([*command, *part.programs.values()], part, workshop, compiled):
        raise _failure(part, log)
    for program, package in part.programs.items():
        (folder / _default_name(package)).rename(folder / program)


def _fetch(part: Part, workshop: Workshop) -> int:
    """Downloads the modules and returns how many packages there are to compile."""
    packages = workshop.caches / "packages"
    _download(["list", "-deps", "-tags", part.tags, *part.programs.values()], part, workshop, packages)
    return _lines(packages)


def _download(command: list[str], part: Part, workshop: Workshop, output: Path | None = None) -> None:
    """The network gets several chances. Raises UserError."""
    log = workshop.log(part)

    def fetched() -> str:
        return f"{part.title}: {_lines(log)} modules fetched"

    for pause in (*FETCH_PAUSES, None):
        if _run(command, part, workshop, fetched, output=output):
            return
        if pause is not None:
            say(f"{part.title}: fetching its modules failed, next attempt in {pause} s (log: {log})")
            time.sleep(pause)
    raise _failure(part, log)


def _run(
    arguments: list[str], part: Part, workshop: Workshop, progress: Callable[[], str], output: Path | None = None
) -> bool:
    """Runs Go to its end, saying now and then how far it is. Go dies with this process, or two would build at once."""
    command = ["setpriv", "--pdeathsig", "KILL", go_program(), *arguments]
    environment = workshop.environment()
    with workshop.log(part).open("a") as log, (output or Path(os.devnull)).open("w") as out:
        process = subprocess.Popen(command, cwd=part.folder, env=environment, stdout=out, stderr=log)
        try:
            return _wait(process, progress) == 0
        except subprocess.TimeoutExpired:
            return False
        finally:
            process.kill()
            process.wait()
            print(_CLEAR_LINE if sys.stdout.isatty() else "", end="", flush=True)


def _wait(process: subprocess.Popen[bytes], progress: Callable[[], str]) -> int:
    terminal = sys.stdout.isatty()
    began = time.monotonic()
    while True:
        try:
            return process.wait(timeout=1 if terminal else QUIET_SECONDS)
        except subprocess.TimeoutExpired:
            elapsed = int(time.monotonic() - began)
            if elapsed > STEP_SECONDS:
                raise
            text = f"  {progress()}, {elapsed // 60} min {elapsed % 60:02} s"
            print(f"{_CLEAR_LINE}{text}" if terminal else text, end="" if terminal else "\n", flush=True)


def _failure(part: Part, log: Path) -> UserError:
    with log.open(errors="replace") as lines:
        for line in deque(lines, LOG_LINES_SHOWN):
            print(f"    {line}", end="", file=sys.stderr)
    return UserError(
        f"Building {part.title} failed: put right what the lines above say (all are in {log}) and repeat the command, "
        "what is built already is kept."
    )


def _module_directory(part: Part, module: str, workshop: Workshop) -> Path:
    _download(["mod", "download", module], part, workshop)
    command = [go_program(), "list", "-m", "-f", "{{.Dir}}", module]
    environment = workshop.environment()
    result = subprocess.run(
        command, cwd=part.folder, env=environment, check=True, capture_output=True, text=True, timeout=60
    )
    return Path(result.stdout.strip())


def _default_name(package: str) -> str:
    """What `go build` calls a program: the last element of its path that is no major version."""
    *_, parent, last = package.split("/")
    return parent if last.startswith("v") and last[1:].isdecimal() else last


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in file)
