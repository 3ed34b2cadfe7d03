"""The control groups of the pods, apart from everybody else's, so that they can be found and taken away."""

import contextlib
from pathlib import Path

from sandbox.layout import NAME

MOUNT = Path("/sys/fs/cgroup")


def hierarchies() -> list[Path]:
    """Where the kernel keeps groups: one tree (version 2), or one for each controller (version 1)."""
    if (MOUNT / "cgroup.controllers").exists():
        return [MOUNT]
    return [path for path in MOUNT.iterdir() if path.is_dir() and not path.is_symlink()]


def create() -> None:
    for hierarchy in hierarchies():
        (hierarchy / NAME).mkdir(exist_ok=True)


def delete() -> None:
    """Takes away what is empty; called when the last process has ended."""
    for hierarchy in hierarchies():
        groups = [path for path in (hierarchy / NAME).rglob("*") if path.is_dir()]
        for group in [*sorted(groups, reverse=True), hierarchy / NAME]:
            with contextlib.suppress(FileNotFoundError):
                group.rmdir()
