"""`python -m tests.fuzz [COUNT]`: a million broken reviews, judged; a run of a million writes docs/evidence/fuzz.md.

SEED repeats a run, MINUTES bounds it. The exit status is 1 if a law was broken.
"""

import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed

from tests.bench import machine
from tests.cluster.kubectl import ROOT
from tests.fuzz.run import Report, fuzz_until

MILLION = 1_000_000
EACH = 25_000
"""Inputs of one process: enough that growth would show."""

LONGEST = 120.0
"""Minutes."""

EVIDENCE = ROOT / "docs/evidence/fuzz.md"


def main(count: int = MILLION) -> int:
    """Returns the exit status."""
    seed, longest = os.environ.get("SEED") or str(random.randrange(10**6)), float(os.environ.get("MINUTES") or LONGEST)
    began = time.monotonic()
    say(f"SEED={seed}: {count:,} broken reviews")
    reports = list(run(seed, count, began + 60 * longest))
    told = summary(seed, reports, time.monotonic() - began)
    done = sum(report.count for report in reports)
    breaches = [breach for report in reports for breach in report.breaches]
    say("\n".join([*told, *breaches[:100]]))
    if done < count:
        say(f"{count - done:,} are missing: the time is over; set MINUTES to more than {longest:.0f}")
    elif count >= MILLION:
        head = ["# The fuzzer", "", "Written by `python -m tests.fuzz`, on:", ""]
        lines = [*head, *(f"* {line}" for line in [*machine.host(), *told, *breaches[:100]]), ""]
        EVIDENCE.write_text("\n".join(lines))
        say(f"written to {EVIDENCE.relative_to(ROOT)}")
    return 1 if breaches or done < count else 0


def run(seed: str, count: int, until: float) -> Iterator[Report]:
    """All of them, on every core; no more is begun after `until` (of the monotonic clock)."""
    shares = [range(first, min(first + EACH, count)) for first in range(0, count, EACH)]
    with ProcessPoolExecutor(max_tasks_per_child=1) as pool:
        running = [pool.submit(fuzz_until, until, seed, share) for share in shares]
        done = broken = 0
        for ended in as_completed(running):
            report = ended.result()
            done, broken = done + report.count, broken + len(report.breaches)
            say(f"{done:,} of {count:,}, {broken} breaches")
            yield report


def summary(seed: str, reports: list[Report], seconds: float) -> list[str]:
    """What was sent and what came of it."""
    answers = sum((report.answers for report in reports), Counter[int]())
    breaches = sum(len(report.breaches) for report in reports)
    listed = ", ".join(f"{often:,} × {status}" for status, often in answers.most_common())
    return [
        f"seed {seed}: {answers.total():,} inputs in {seconds:.0f} s, answered {listed}",
        f"the longest answer took {max(report.slowest for report in reports):.2f} s",
        f"most growth of a process, by {EACH:,} inputs: {max(report.growth for report in reports)} MiB, "
        f"{max(report.objects for report in reports)} objects",
        f"{breaches} laws were broken" if breaches else "no law was broken",
    ]


def say(text: str) -> None:
    """A line of progress, with the time of day."""
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main(*(int(argument) for argument in sys.argv[1:])))
