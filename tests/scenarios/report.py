"""The table for the terminal, and the evidence file. Pure."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from tests.bench.report import cell
from tests.scenarios.elsewhere import ELSEWHERE
from tests.scenarios.result import Result

PROBLEM_LENGTH = 300
"""Characters of what does not hold, in the table; all of it is told below it."""
COLUMNS = (
    "scenario",
    "from",
    "result",
    "time, s",
    "requests",
    "failures",
    "canary's share on the wire",
    "how it ended",
)


def table(results: Sequence[Result]) -> Table:
    """A row a scenario."""
    shown = Table(show_lines=True)
    for title in COLUMNS:
        shown.add_column(title, overflow="fold")
    for result in results:
        shown.add_row(*(Text(each, "" if result.holds else "bold red") for each in _cells(result)))
    return shown


def summary(results: Sequence[Result]) -> str:
    """All of them in a line."""
    held, sent = sum(result.holds for result in results), sum(result.sent for result in results)
    return f"{held} of {len(results)} scenarios hold; {sent} requests, {sum(r.failed for r in results)} failed"


def evidence(results: Sequence[Result], circumstances: Sequence[str], seconds: float) -> str:
    """The evidence file: when and where, the table, and every scenario in full."""
    lines = ["# Scenarios", "", "Written by `make scenarios`; the next complete run replaces it.", ""]
    lines += [*(f"* {line}" for line in circumstances), f"* {summary(results)}; {seconds:.0f} s", ""]
    lines += [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
    lines += [f"| {' | '.join(map(cell, _cells(result)))} |" for result in results]
    lines += ["", "Of the suites, not played here:", "", "| | where, or why not |", "|---|---|"]
    lines += [f"| {what} | {why} |" for what, why in ELSEWHERE.items()]
    for result in results:
        lines += ["", f"## {result.name}", "", *(f"* {line}" for line in result.lines)]
    return "\n".join(lines) + "\n"


def _cells(result: Result) -> tuple[str, ...]:
    return (
        result.name,
        result.source,
        "holds" if result.holds else "DOES NOT HOLD",
        f"{result.seconds:.0f}",
        str(result.sent),
        str(result.failed),
        result.shares,
        "; ".join(result.complaints)[:PROBLEM_LENGTH] or result.ended,
    )
