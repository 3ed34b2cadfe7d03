"""What Detour's two containers take of the machine's memory: at rest, with canaries in flight, and under load.

PSS counts a page that several processes share once, divided among them (man 5 proc, smaps_rollup); RSS counts it in
full for each. A container is all of its processes: the webhook's are gunicorn's master and its worker.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from tests.bench import idle
from tests.bench.figure import SHORT, Figure, say
from tests.bench.load import Change, Lane, Series, alternate
from tests.bench.processes import Size, containers, size
from tests.cluster import namespaces
from tests.cluster.namespaces import namespace, unique
from tests.cluster.podless import MANAGED
from tests.cluster.shop import Shop

GOALS = {"webhook": 60.0, "analyzer": 90.0}
"""Megabytes (10^6 bytes) of PSS."""
CANARIES = 1 if SHORT else 4
ROUNDS, EACH, AT_ONCE = (2, 8, 16) if SHORT else (8, 40, 16)
"""Blocks, reviews a lane in each, and lanes: 5,120 reviews."""
SETTLES = 5.0
"""Seconds between a load and the measurement after it."""


def figures() -> list[Figure]:
    """The largest of what was seen of each container."""
    seen = {"at rest, as found": sizes()}
    seen |= _in_flight()
    seen |= _under_load()
    return [_figure(part, {when: found[part] for when, found in seen.items()}) for part in GOALS]


def _in_flight() -> dict[str, dict[str, Size]]:
    with ExitStack() as stack:
        shops = [Shop(unique("bench-memory"), replicas=1) for _ in range(CANARIES)]
        for shop in shops:
            stack.callback(namespaces.delete, shop.namespace)
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
    with namespace("bench-memory") as where:
        idle.deploy(where, names, MANAGED)
        lanes = [Lane(where, name) for name in names]
        series = [Series("reviews", lanes, lambda number: Change(idle.counting(number)), idle.diverted)]
        times = alternate("reviews", series, ROUNDS, EACH)["reviews"]
        count = len(times.all)
        seen = {f"at the end of {count:,} reviews, {AT_ONCE} at a time": sizes()}
    time.sleep(SETTLES)
    return seen | {f"{SETTLES:.0f} s later": sizes()}


def sizes() -> dict[str, Size]:
    """Each part's size; with several pods, of its largest container. Raises AssertionError where one is missing."""
    found = containers()
    seen = {part: [size(one.pids) for one in found if one.part == part] for part in GOALS}
    missing = [part for part in GOALS if not seen[part]]
    if missing:
        raise AssertionError(f"no process of {', '.join(missing)} runs in the sandbox: run `make up`")
    return {part: max(each, key=lambda one: one.pss) for part, each in seen.items()}


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
