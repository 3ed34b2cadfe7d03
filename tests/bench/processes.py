"""The sandbox's processes by what they are part of, and what they have used of the processors and the memory."""

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sandbox import status, supervisor
from sandbox.layout import NAME

TICKS = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Container:
    """The processes of one container of a pod: Detour's by the name of the command, others by that of the program."""

    part: str
    pids: tuple[int, ...]


def containers() -> list[Container]:
    """Those of all pods of the sandbox."""
    groups: dict[tuple[str, str], list[int]] = {}
    for process in PROC.iterdir():
        if process.name.isdecimal():
            with suppress(OSError):  # it has ended
                cgroup = (process / "cgroup").read_text().splitlines()[0].rpartition(":")[2]
                words = (process / "cmdline").read_text().split("\0")
                if cgroup.startswith(f"/{NAME}/"):
                    groups.setdefault((part_of(words), cgroup), []).append(int(process.name))
    return [Container(part, tuple(pids)) for (part, _), pids in groups.items()]


def part_of(words: list[str]) -> str:
    """`webhook` of `python3 /usr/bin/detour webhook`, `traefik` of `/traefik --ping`."""
    names = [word.rpartition("/")[2] for word in words]
    return names[names.index("detour") + 1] if "detour" in names[:-1] else names[0]


def processor_seconds() -> dict[str, float]:
    """What each part of the sandbox has used of the processors so far: Kubernetes' components, and all pods."""
    pids = status.host_pids()
    components = {name: (pids.get(state["pid"]),) for name, state in supervisor.status().items()}
    used: dict[str, float] = {}
    for part, group in [*components.items(), *((one.part, one.pids) for one in containers())]:
        used[part] = used.get(part, 0.0) + sum(_processor_seconds(pid) for pid in group if pid is not None)
    return used


def spent(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    """What each part has used in between; one that was not there before has used nothing before."""
    return {part: max(0.0, seconds - before.get(part, 0.0)) for part, seconds in after.items()}


def _processor_seconds(pid: int) -> float:
    """utime and stime (man 5 proc_pid_stat); 0 when it has ended."""
    with suppress(OSError):
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS
    return 0.0


@dataclass(frozen=True, slots=True)
class Size:
    """Megabytes of all the processes of one container, and how many these are."""

    pss: float
    rss: float
    processes: int

    def __str__(self) -> str:
        return f"PSS {self.pss:.1f} MB, RSS {self.rss:.1f} MB, {self.processes} process{'es' * (self.processes > 1)}"


def size(pids: Iterable[int]) -> Size:
    """PSS and RSS of these processes, summed. Raises OSError when one has ended."""
    texts = [(PROC / str(pid) / "smaps_rollup").read_text() for pid in pids]
    pss, rss = (sum(megabytes(text, field) for text in texts) for field in ("Pss", "Rss"))
    return Size(pss, rss, len(texts))


def megabytes(rollup: str, field: str) -> float:
    """One field of a smaps_rollup, which gives kB of 1024 bytes. Raises StopIteration where there is none."""
    line = next(line for line in rollup.splitlines() if line.startswith(f"{field}:"))
    return int(line.split()[1]) * 1024 / 1e6
