"""The control groups of the pods, apart from everybody else's, so that they can be found and taken away."""

import errno
from pathlib import Path

from sandbox.errors import UserError
from sandbox.layout import NAME

MOUNT = Path("/sys/fs/cgroup")
# What the kubelet demands of the group that it is given (kubernetes, pkg/kubelet/cm/cgroup_v2_manager_linux.go).
CONTROLLERS = frozenset({"cpu", "cpuset", "hugetlb", "memory", "pids"})


def hierarchies() -> list[Path]:
    """Where the kernel keeps groups: one tree (version 2), or one for each controller (version 1)."""
    if (MOUNT / "cgroup.controllers").exists():
        return [MOUNT]
    return [path for path in MOUNT.iterdir() if path.is_dir() and not path.is_symlink()]


def create() -> None:
    """Makes the group that all pods are below. Raises UserError where the kernel does not allow it."""
    for hierarchy in hierarchies():
        try:
            _enable_controllers(hierarchy)
            (hierarchy / NAME).mkdir(exist_ok=True)
            _give_processors(hierarchy / NAME)
        except OSError as error:
            group = hierarchy / NAME
            raise UserError(f"{group} cannot be made ({error}): run this as root and outside of a container") from error


def _give_processors(group: Path) -> None:
    """All pods together weigh as much as eight processes: with the weight of one they starve beside tests."""
    for name, usual in (("cpu.weight", 100), ("cpu.shares", 1024)):
        if (weight := group / name).exists():
            weight.write_text(str(8 * usual))


def _enable_controllers(hierarchy: Path) -> None:
    """Version 2: a group has only the controllers that its parent hands down, and the kubelet insists on some."""
    available = hierarchy / "cgroup.controllers"
    if available.exists():
        wanted = CONTROLLERS.intersection(available.read_text().split())
        (hierarchy / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in sorted(wanted)))


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
