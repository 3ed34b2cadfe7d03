"""`python -m tests.removal [NAME…]`: take Detour off the cluster in every way, in mid-canary and under traffic.

The exit status is 1 unless every way ends as it should; a complete run is written to docs/evidence/removal.md.
"""

import signal
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench import machine
from tests.bench.figure import say
from tests.bench.sheet import Line, written
from tests.cluster.kubectl import ROOT
from tests.cluster.users import Users
from tests.removal.town import town
from tests.removal.ways import WAYS, Way

EVIDENCE = ROOT / "docs/evidence/removal.md"
COLUMNS = ("what was done, and how it has to end", "time", "failed requests", "")
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Result:
    """How one way ended: with a `problem`, or as it should."""

    says: str
    seconds: float
    answered: int
    failed: Sequence[str]
    problem: str

    @property
    def holds(self) -> bool:
        return bool(self.answered) and not self.failed and not self.problem

    @property
    def line(self) -> Line:
        """As a row of the table."""
        wrong = "; ".join(filter(None, [self.problem, *self.failed[:SHOWN]]))
        counts = (f"{self.seconds:.0f} s", f"{len(self.failed)} of {self.answered + len(self.failed)}")
        return Line((self.says, *counts, wrong or "holds"), self.holds)


def main(names: Sequence[str]) -> int:
    """Play the ways of these names, or all. Returns the exit status."""
    results = []
    for way in WAYS:
        if not names or way.__name__ in names:
            say(f"{time.strftime('%H:%M:%S')} {way.__name__}")
            results.append(played(way))
            say(f"  {' | '.join(results[-1].line.cells)}")
    held = bool(results) and all(result.holds for result in results)
    if held and not names:
        EVIDENCE.write_text(evidence(results, machine.circumstances()))
        say(f"written to {EVIDENCE.relative_to(ROOT)}")
    return 0 if held else 1


def played(way: Way) -> Result:
    """One way, with applications of its own."""
    users: dict[str, Users] = {}
    problem, began, seconds = "", time.monotonic(), 0.0
    try:
        with town() as (applications, users):
            began = time.monotonic()
            way(applications)
            seconds = time.monotonic() - began
    except Exception as error:
        traceback.print_exception(error)
        problem = f"{type(error).__name__}: {error}"[:300]
    answered = sum(each.answered.total() for each in users.values())
    failed = [each for one in users.values() for each in one.failed]
    return Result(" ".join((way.__doc__ or "").split()), seconds, answered, failed, problem)


def evidence(results: Sequence[Result], circumstances: Sequence[str]) -> str:
    """The evidence file."""
    lines = [
        "# Removal",
        "",
        "Written by `make removal`; the next complete run replaces it. Each time two applications are in the middle of",
        "their rollouts, one at 25 %, one being promoted, with four users each who ask ten times a second. The time is",
        "from the command until all of it was found to be as it should, the next installation included.",
        "",
        *(f"* {line}" for line in circumstances),
        "",
        *written(COLUMNS, [result.line for result in results]),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    # As an exception, so that Detour is installed again.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main(sys.argv[1:]))
