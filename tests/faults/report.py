"""The table for the terminal, and the evidence file. Pure."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from tests.bench.report import cell
from tests.faults.result import Result

PROBLEM_LENGTH = 300
"""Characters of what does not hold, in the table; all of it is told below it."""
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
    shown = Table(show_lines=True)
    for title in COLUMNS:
        shown.add_column(title, overflow="fold")
    for result in results:
        verdict = Text("holds", "green") if result.holds else Text("DOES NOT HOLD", "bold red")
        shown.add_row(*map(Text, _cells(result)), verdict)
    return shown


def evidence(results: Sequence[Result], circumstances: Sequence[str]) -> str:
    """The evidence file: when and where, the table, and every row in full."""
    lines = ["# Faults", "", "Written by `make faults`; the next complete run replaces it.", ""]
    lines += [*(f"* {line}" for line in circumstances), ""]
    lines += [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
    for result in results:
        verdict = "holds" if result.holds else "**does not hold**"
        lines.append(f"| {' | '.join(map(cell, (*_cells(result), verdict)))} |")
    for result in results:
        lines += ["", f"## {result.row}", "", *(f"* {line}" for line in result.lines)]
    return "\n".join(lines) + "\n"


def _cells(result: Result) -> tuple[str, ...]:
    failed = [f"{len(tally.failed)} of {tally.sent}" for tally in (result.managed, result.plain)]
    left = ", ".join(result.left) or "nothing"
    return (
        result.row,
        result.done,
        *failed,
        "; ".join(result.complaints)[:PROBLEM_LENGTH] or result.ended,
        result.recovered,
        left,
    )
