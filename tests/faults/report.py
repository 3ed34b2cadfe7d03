"""The table for the terminal, and the evidence file. Pure."""

from collections.abc import Sequence

from rich.table import Table

from tests.bench.sheet import LONGEST_PROBLEM, Line, drawn, told, written
from tests.faults.result import Result

COLUMNS = (
    "fault",
    "what was done",
    "failed of sent",
    "plain rolling update",
    "how it ended",
    "recovery, s",
    "left",
    "",
)


def table(results: Sequence[Result]) -> Table:
    """A row a fault."""
    return drawn(COLUMNS, map(_line, results))


def evidence(results: Sequence[Result], circumstances: Sequence[str]) -> str:
    """The evidence file: when and where, the table, and every row in full."""
    lines = ["# Faults", "", "Written by `make faults`; the next complete run replaces it.", ""]
    lines += [*(f"* {line}" for line in circumstances), "", *written(COLUMNS, map(_line, results))]
    for result in results:
        lines += told(result.row, result.lines)
    return "\n".join(lines) + "\n"


def _line(result: Result) -> Line:
    failed = [f"{len(tally.failed)} of {tally.sent}" for tally in (result.managed, result.plain)]
    cells = (
        result.row,
        result.done,
        *failed,
        "; ".join(result.complaints)[:LONGEST_PROBLEM] or result.ended,
        result.recovered,
        ", ".join(result.left) or "nothing",
        "holds" if result.holds else "DOES NOT HOLD",
    )
    return Line(cells, result.holds)
