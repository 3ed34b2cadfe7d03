"""What a host must have, checked first: a missing thing found after ten minutes is found too late."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from sandbox.errors import UserError

PYTHON = (3, 11)
GO = (1, 26)
GIGABYTE = 10**9
# Where Go's own installer puts it, which the PATH of sudo leaves out.
_GO_DIRECTORY = "/usr/local/go/bin"


def check_host() -> None:
    """Raises UserError unless this is Linux with a new enough Python, root, make and git."""
    if not sys.platform.startswith("linux"):
        raise UserError("The sandbox needs Linux (network namespaces, containers): run it on a Linux host or VM.")
    if sys.version_info < PYTHON:
        raise UserError(f"Python 3.11 or newer is needed and this is {sys.version.split()[0]}: install a newer one.")
    if os.geteuid() != 0:
        raise UserError("The sandbox needs root (network namespaces, mounts): repeat the command with sudo.")
    for tool in ("make", "git"):
        if shutil.which(tool) is None:
            raise UserError(f"'{tool}' is needed and not there: run 'apt-get install {tool}', then repeat the command.")


def go_program() -> str:
    """The path of a Go that is new enough, else UserError."""
    program = shutil.which("go") or shutil.which("go", path=_GO_DIRECTORY)
    if program is None:
        raise UserError("Go 1.26 or newer is needed: install it from https://go.dev/dl/ and put it into PATH.")
    # In the root directory, lest a go.mod of the working directory chooses another version.
    answer = subprocess.run([program, "env", "GOVERSION"], cwd="/", capture_output=True, text=True, timeout=60).stdout
    version = re.match(r"go(\d+)\.(\d+)", answer)
    if version is None or (int(version[1]), int(version[2])) < GO:
        raise UserError(
            f"Go 1.26 or newer is needed and {program} is '{answer.strip()}': "
            "install a newer one from https://go.dev/dl/ and put it first into PATH."
        )
    return program


def check_disk(directory: Path, gigabytes: float) -> None:
    """Raises UserError unless so much is free where `directory` is, or will be."""
    existing = next(path for path in (directory, *directory.parents) if path.exists())
    free = shutil.disk_usage(existing).free / GIGABYTE
    if free < gigabytes:
        raise UserError(
            f"Building needs {gigabytes:.0f} GB meanwhile in {directory} and {free:.0f} GB are free: "
            "free some, or set DETOUR_CACHE to a directory on a bigger disk."
        )
