"""`python -m tests.faults [NAME…]`: break things in the middle of canaries, print the table, write the evidence.

RATE is how many requests a second each of a row's two applications gets. The exit status is 1 unless every row holds.
A complete run at the usual rate is written to docs/evidence/faults.md.
"""

import os
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

from rich.console import Console

from tests.bench import machine
from tests.bench.figure import say
from tests.cluster.kubectl import ROOT
from tests.faults.analyzers import Analyzers, analyzers
from tests.faults.play import play
from tests.faults.report import evidence, table
from tests.faults.result import Result
from tests.faults.row import Leader, Row, rows
from tests.faults.scene import FULL, Scale

EVIDENCE = ROOT / "docs/evidence/faults.md"
RATE = float(os.environ.get("RATE") or FULL.rate)
AT_ONCE = 2
"""Rows at once, each with 200 requests a second: more, and two processors have to wait for themselves."""


def main(names: Sequence[str]) -> int:
    """Play the rows of these names, or all. Returns the exit status."""
    known = rows()
    if unknown := sorted(set(names) - {row.name for row in known}):
        say(f"there is no {', '.join(unknown)}: name some of {', '.join(row.name for row in known)}, or none for all")
        return 2
    began = time.monotonic()
    results = all_of([row for row in known if not names or row.name in names])
    Console(width=200).print(table(results))
    if not names and FULL.rate == RATE:
        EVIDENCE.parent.mkdir(parents=True, exist_ok=True)
        EVIDENCE.write_text(evidence(results, machine.circumstances()))
        say(f"written to {EVIDENCE.relative_to(ROOT)}")
    held = sum(result.holds for result in results)
    say(f"{held} of {len(results)} rows hold, in {time.monotonic() - began:.0f} s")
    return 0 if held == len(results) else 1


def all_of(chosen: Sequence[Row]) -> list[Result]:
    """Those that disturb nobody run at once; who leads changes as seldom as it can. In the order of `chosen`."""
    found: dict[str, Result] = {}
    for leader in Leader:
        wanted = [row for row in chosen if row.leader is leader]
        if wanted:
            found |= {result.row: result for result in _under(leader, wanted)}
    return [found[row.name] for row in chosen]


def _under(leader: Leader, wanted: Sequence[Row]) -> Iterable[Result]:
    with analyzers() if leader in (Leader.HOST, Leader.OWN) else nullcontext() as hosts:
        if hosts and leader is Leader.HOST:
            hosts.lead("steady")
        with ThreadPoolExecutor(1 if leader.alone else AT_ONCE) as pool:
            yield from pool.map(lambda row: _told(row, hosts), wanted)


def _told(row: Row, hosts: Analyzers | None) -> Result:
    say(f"{time.strftime('%H:%M:%S')} {row.name}: {row.says}")
    result = play(row, Scale(RATE), hosts)
    say("\n  ".join([f"{time.strftime('%H:%M:%S')} {row.name}:", *result.lines]))
    return result


if __name__ == "__main__":
    # As an exception, so that what is in the cluster for it is taken away.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main(sys.argv[1:]))
