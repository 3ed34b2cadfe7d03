"""What every measurement comes to: one row of the table, with its goal and its reference beside it."""

import os
from dataclasses import dataclass

SHORT = os.environ.get("BENCH_SHORT", "") not in ("", "0")
"""Fewer requests, for trying a measurement out; the output says so, and a short run writes no evidence."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table: what was measured, beside what it has to reach and its reference of the same run."""

    name: str
    goal: str
    measured: str
    reference: str
    holds: bool
    """Decided on the numbers, never on the text."""
    details: tuple[str, ...] = ()
    """Further lines for the evidence file: distributions, counts."""


def say(line: str) -> None:
    """Print one line of progress at once."""
    print(line, flush=True)
