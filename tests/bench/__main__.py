"""`python -m tests.bench [module …]`: measure, print the table, and write the evidence of a complete run.

The exit status is 1 unless every figure was measured and holds.
"""

import importlib
import signal
import sys
import time
import traceback
from collections.abc import Sequence

from rich.console import Console

from tests.bench import machine
from tests.bench.figure import SHORT, say
from tests.bench.report import SHORTENED, Outcome, evidence, table
from tests.cluster.kubectl import ROOT

MODULES = ("diversion", "scenario", "updates", "shares", "patches", "reviews", "silence", "stash", "memory")
"""In this order; memory comes last, when everything else has been through."""
EVIDENCE = ROOT / "docs/evidence/bench.md"
PROBLEM_LENGTH = 200
"""Characters of a problem in the table; all of it has been printed by then."""


def main(names: Sequence[str]) -> int:
    """Run the modules of these names, or all. Returns the exit status."""
    unknown = sorted(set(names) - set(MODULES))
    if unknown:
        say(f"there is no {', '.join(unknown)}: name some of {', '.join(MODULES)}, or none for all")
        return 2
    if SHORT:
        say(SHORTENED)
    outcomes = {name: measure(name) for name in names or MODULES}
    Console().print(table(outcomes))
    for figure in (figure for outcome in outcomes.values() for figure in outcome.figures):
        say("\n".join([figure.name, *(f"  {detail}" for detail in figure.details)]))
    if not names and not SHORT:
        EVIDENCE.parent.mkdir(parents=True, exist_ok=True)
        EVIDENCE.write_text(evidence(outcomes, machine.circumstances()))
        say(f"written to {EVIDENCE.relative_to(ROOT)}")
    return 0 if all(outcome.holds for outcome in outcomes.values()) else 1


def measure(name: str) -> Outcome:
    """One module's figures; whatever ends it is told, and ends nothing else."""
    say(f"measuring {name}")
    began = time.monotonic()
    try:
        outcome = Outcome(tuple(importlib.import_module(f"tests.bench.{name}").figures()))
    except Exception as error:
        traceback.print_exc()
        outcome = Outcome(problem=f"{type(error).__name__}: {str(error)[:PROBLEM_LENGTH]}")
    say(f"measured {name} in {time.monotonic() - began:.0f} s" if not outcome.problem else f"{name} was not measured")
    return outcome


if __name__ == "__main__":
    # As an exception, so that what is in the cluster for the measurement is taken away.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main(sys.argv[1:]))
