"""The table for the terminal, and the evidence file. Pure."""

from collections.abc import Sequence

from rich.table import Table

from tests.bench.sheet import LONGEST_PROBLEM, Line, drawn, told, written
from tests.scenarios.elsewhere import ELSEWHERE
from tests.scenarios.result import Result

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
    return drawn(COLUMNS, map(_line, results))


def summary(results: Sequence[Result]) -> str:
    """All of them in a line."""
    held, sent = sum(result.holds for result in results), sum(result.sent for result in results)
    again = sum(bool(result.first) for result in results)
    told = f", {again} of them were played twice" if again else ""
    return f"{held} of {len(results)} scenarios hold{told}; {sent} requests, {sum(r.failed for r in results)} failed"


def evidence(results: Sequence[Result], circumstances: Sequence[str], seconds: float) -> str:
    """The evidence file: when and where, the table, and every scenario in full."""
    lines = ["# Scenarios", "", "Written by `make scenarios`; the next complete run replaces it.", ""]
    lines += [*(f"* {line}" for line in circumstances), f"* {summary(results)}; {seconds:.0f} s", ""]
    lines += written(COLUMNS, map(_line, results))
    lines += ["", "Of the suites, not played here:", ""]
    lines += written(("", "where, or why not"), (Line(each, holds=True) for each in ELSEWHERE.items()))
    for result in results:
        lines += told(result.name, result.lines)
    return "\n".join(lines) + "\n"


def _verdict(result: Result) -> str:
    return ("holds" if result.holds else "DOES NOT HOLD") + (" the second time" if result.first else "")


def _line(result: Result) -> Line:
    cells = (
        result.name,
        result.source,
        _verdict(result),
        f"{result.seconds:.0f}",
        str(result.sent),
        str(result.failed),
        result.shares,
        "; ".join(result.complaints)[:LONGEST_PROBLEM] or result.ended,
    )
    return Line(cells, result.holds)
