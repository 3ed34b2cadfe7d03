"""What Detour's two containers take of the machine's memory: at rest, with canaries in flight, and under load.

PSS counts a page that several processes share once, divided among them (man 5 proc, smaps_rollup); RSS counts it in
full for each. A container is all of its processes: the webhook's are gunicorn's master and its worker.
"""

import secrets
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from sandbox.layout import NAME
from tests.bench import idle
from tests.bench.figure import SHORT, Figure, say
from tests.bench.load import Change, Lane, Series, alternate
from tests.cluster.kubectl import kubectl
from tests.cluster.shop import Shop

GOALS = {"webhook": 60.0, "analyzer": 90.0}
"""Megabytes (10^6 bytes) of PSS."""
CANARIES = 1 if SHORT else 4
ROUNDS, EACH, AT_ONCE = (2, 8, 16) if SHORT else (8, 40, 16)
"""Blocks, reviews a lane in each, and lanes: 5,120 reviews."""
SETTLES = 5.0
"""Seconds between a load and the measurement after it."""


@dataclass(frozen=True, slots=True)
class Size:
    """Megabytes of all the processes of one container, and how many these are."""

    pss: float
    rss: float
    processes: int

    def __str__(self) -> str:
        return f"PSS {self.pss:.1f} MB, RSS {self.rss:.1f} MB, {self.processes} process{'es' * (self.processes > 1)}"


def figures() -> list[Figure]:
    """The largest of what was seen of each container."""
    seen = {"at rest, as found": sizes()}
    seen |= _in_flight()
    seen |= _under_load()
    return [_figure(part, {when: found[part] for when, found in seen.items()}) for part in GOALS]


def _in_flight() -> dict[str, dict[str, Size]]:
    with ExitStack() as stack:
        shops = [Shop(f"bench-memory-{secrets.token_hex(3)}", replicas=1) for _ in range(CANARIES)]
        for shop in shops:
            stack.callback(kubectl, "delete", "namespace", shop.namespace, "--wait=false", "--ignore-not-found")
        say(f"  opening {CANARIES} applications")
        with ThreadPoolExecutor(CANARIES) as pool:
            list(pool.map(Shop.open, shops))
        for shop in shops:
            shop.set_image("6.0.1")
        say("  waiting until all canaries get traffic")
        for shop in shops:
            shop.until_weight(25)
        return {f"{CANARIES} canaries in flight": sizes()}


def _under_load() -> dict[str, dict[str, Size]]:
    names = [f"idle-{number}" for number in range(AT_ONCE)]
    with idle.namespace("memory") as where:
        idle.deploy(where, names, idle.MANAGED)
        lanes = [Lane(where, name) for name in names]
        series = [Series("reviews", lanes, lambda number: Change(idle.counting(number)), idle.diverted)]
        times = alternate("reviews", series, ROUNDS, EACH)["reviews"]
        count = len(times.all)
        seen = {f"at the end of {count:,} reviews, {AT_ONCE} at a time": sizes()}
    time.sleep(SETTLES)
    return seen | {f"{SETTLES:.0f} s later": sizes()}


def sizes() -> dict[str, Size]:
    """Each part's size; with several pods, of its largest container. Raises AssertionError where one is missing."""
    groups: dict[tuple[str, str], list[int]] = {}
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            with suppress(OSError):  # it has ended
                words = (process / "cmdline").read_text().split("\0")
                cgroup = (process / "cgroup").read_text().splitlines()[0].rpartition(":")[2]
                part = words[words.index("detour") + 1] if "detour" in words[:-1] else ""
                if cgroup.startswith(f"/{NAME}/"):
                    groups.setdefault((part, cgroup), []).append(int(process.name))
    found = {part: [size(pids) for (name, _), pids in groups.items() if name == part] for part in GOALS}
    missing = [part for part in GOALS if not found[part]]
    if missing:
        raise AssertionError(f"no process of {', '.join(missing)} runs in the sandbox: run `make up`")
    return {part: max(containers, key=lambda one: one.pss) for part, containers in found.items()}


def size(pids: Iterable[int]) -> Size:
    """PSS and RSS of these processes, summed."""
    texts = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in pids]
    return Size(
        sum(megabytes(text, "Pss") for text in texts), sum(megabytes(text, "Rss") for text in texts), len(texts)
    )


def megabytes(rollup: str, field: str) -> float:
    """One field of a smaps_rollup, which gives kB of 1024 bytes. Raises StopIteration where there is none."""
    line = next(line for line in rollup.splitlines() if line.startswith(f"{field}:"))
    return int(line.split()[1]) * 1024 / 1e6


def _figure(part: str, seen: dict[str, Size]) -> Figure:
    when, most = max(seen.items(), key=lambda entry: entry[1].pss)
    rest = next(iter(seen.values()))
    return Figure(
        name=f"memory of the {part}",
        goal=f"≤ {GOALS[part]:.0f} MB of PSS",
        measured=f"{most.pss:.1f} MB at most ({when}); {rest.pss:.1f} MB at rest",
        reference=f"RSS {most.rss:.1f} MB; Flagger: see the scenario",
        holds=most.pss <= GOALS[part],
        details=tuple(f"{moment}: {found}" for moment, found in seen.items()),
    )
