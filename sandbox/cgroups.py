"""The control groups of the pods, apart from everybody else's, so that they can be found and taken away."""

import errno
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


def delete() -> bool:
    """Takes the groups away, and says whether it could: not while a process in one of them is still ending."""
    for hierarchy in hierarchies():
        groups = [path for path in (hierarchy / NAME).rglob("*") if path.is_dir()]
        for group in [*sorted(groups, reverse=True), hierarchy / NAME]:
            try:
                group.rmdir()
            except FileNotFoundError:
                continue
            except OSError as error:
                if error.errno != errno.EBUSY:
                    raise
                return False
    return True
