"""`python -m tests.twin`: random commands to both, and the evidence of a complete run.

COUNT sequences (60) of LENGTH commands (12), from SEED (random); at most MINUTES (15). The same seed tells the same.
The exit status is 1 where the law does not hold; then the shortest commands that show it are printed.
"""

import os
import secrets
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from tests.bench import machine
from tests.cluster.kubectl import ROOT
from tests.twin.law import Account
from tests.twin.pair import pair
from tests.twin.search import lived, shortest, tried

EVIDENCE = ROOT / "docs/evidence/twin.md"
COMPLETE = 60
"""Sequences of a run that is evidence."""


def main(count: int, length: int, number: int, minutes: float) -> int:
    """Try that many sequences. Returns the exit status."""
    print(f"{count} sequences of {length} commands, SEED={number}, at most {minutes:g} minutes", flush=True)
    account, began = Account(), time.monotonic()
    with tempfile.TemporaryDirectory() as folder, pair(Path(folder)) as sides:
        failed = tried(count, length, number, partial(lived, *sides, account), began + 60 * minutes)
        if failed:
            print(f"the twin law does not hold (SEED={number}); looking for fewer commands", flush=True)
            print(shortest(failed, partial(lived, *sides, Account()), began + 60 * minutes))
            return 1
    lines = summary(account, number, time.monotonic() - began)
    print("\n".join(lines))
    if account.sequences >= COMPLETE:
        EVIDENCE.write_text("\n".join(["# The twin test", "", "Written by `python -m tests.twin`.", "", *lines, ""]))
        print(f"written to {EVIDENCE.relative_to(ROOT)}")
    return 0


def summary(account: Account, number: int, took: float) -> list[str]:
    """What was tried, as lines of Markdown."""
    lines = [f"* {line}" for line in machine.circumstances()]
    lines += [
        f"* {account.sequences} sequences, {account.told.total()} commands given to both and compared, "
        f"{account.diverted} of these with a template waiting; no difference; SEED={number}; {took:.0f} s",
    ]
    lines += ["", "| command | given to both | kept by kubectl to itself |", "|---|---|---|"]
    kinds = sorted(account.told | account.unsent)
    lines += [f"| {kind} | {account.told[kind]} | {account.unsent[kind]} |" for kind in kinds]
    return [*lines, "", *(f"Ended early, since {why}: {times} sequences." for why, times in account.ended.items())]


if __name__ == "__main__":
    value = os.environ.get
    chosen = int(value("SEED", "") or secrets.randbelow(10**6))
    sys.exit(main(int(value("COUNT", "60")), int(value("LENGTH", "12")), chosen, float(value("MINUTES", "15"))))
