"""`python -m tests.scenarios [NAME…]`: play the scenarios, print the table, write the evidence.

Those that disturb nobody play at once, AT_ONCE of them, each in a namespace of its own; the others follow one by one,
and then, once more, what did not hold: a machine whose processors are elsewhere proves nothing. Both times are told.
The exit status is 1 unless every one holds. A complete run is written to docs/evidence/scenarios.md.
"""

import os
import signal
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from rich.console import Console

from tests.bench import machine
from tests.bench.figure import say
from tests.cluster.kubectl import ROOT
from tests.scenarios.play import play
from tests.scenarios.report import evidence, summary, table
from tests.scenarios.result import Result
from tests.scenarios.scenario import Scenario, scenarios

EVIDENCE = ROOT / "docs/evidence/scenarios.md"
AT_ONCE = int(os.environ.get("AT_ONCE") or 4)


def main(names: Sequence[str]) -> int:
    """Play the scenarios of these names, or all. Returns the exit status."""
    known = scenarios()
    if unknown := sorted(set(names) - {each.name for each in known}):
        say(f"there is no {', '.join(unknown)}: name some of {', '.join(each.name for each in known)}, or none for all")
        return 2
    began, stolen = time.monotonic(), machine.Stolen()
    results = all_of([each for each in known if not names or each.name in names])
    Console(width=200).print(table(results))
    if not names:
        where = [*machine.circumstances(), stolen.text]
        EVIDENCE.write_text(evidence(results, where, time.monotonic() - began), encoding="utf-8")
        say(f"written to {EVIDENCE.relative_to(ROOT)}")
    say(f"{summary(results)}; {time.monotonic() - began:.0f} s")
    return 0 if all(result.holds for result in results) else 1


def all_of(chosen: Sequence[Scenario]) -> list[Result]:
    """In the order of `chosen`, whoever was played when."""
    found: dict[str, Result] = {}
    for alone in (False, True):
        wanted = [each for each in chosen if each.alone is alone]
        with ThreadPoolExecutor(1 if alone else AT_ONCE) as pool:
            found |= {result.name: result for result in pool.map(_told, wanted)}
    for each in chosen:
        if first := found[each.name].complaints:
            found[each.name] = replace(_told(each), first=first)
    return [found[each.name] for each in chosen]


def _told(scenario: Scenario) -> Result:
    say(f"{time.strftime('%H:%M:%S')} {scenario.name}: {scenario.says}")
    result = play(scenario)
    say("\n  ".join([f"{time.strftime('%H:%M:%S')} {scenario.name}:", *result.lines]))
    return result


if __name__ == "__main__":
    # As an exception, so that what is in the cluster for it is taken away.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main(sys.argv[1:]))
