"""The table for the terminal and the evidence file, from the figures and from where they were measured. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

from tests.bench.figure import SHORT, Figure

SHORTENED = "SHORTENED (BENCH_SHORT): fewer requests than the figures need; this is no evidence"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one module: its figures, or the problem that ended it."""

    figures: tuple[Figure, ...] = ()
    problem: str = ""

    @property
    def holds(self) -> bool:
        """Whether it came to its end with every figure as it should be."""
        return not self.problem and all(figure.holds for figure in self.figures)


def table(outcomes: Mapping[str, Outcome]) -> Table:
    """Every figure beside its goal and its reference; what failed stands among them."""
    shown = Table(title=SHORTENED if SHORT else None, show_lines=True)
    for title in ("figure", "goal", "measured", "reference", ""):
        shown.add_column(title, overflow="fold")
    for name, outcome in outcomes.items():
        for figure in outcome.figures:
            verdict = Text("holds", "green") if figure.holds else Text("FALLS SHORT", "bold red")
            shown.add_row(*map(Text, (figure.name, figure.goal, figure.measured, figure.reference)), verdict)
        if outcome.problem:
            shown.add_row(Text(name), "", Text(outcome.problem), "", Text("NOT MEASURED", "bold red"))
    return shown


def evidence(outcomes: Mapping[str, Outcome], circumstances: Sequence[str]) -> str:
    """The evidence file: when and where, the table, and the details of every figure."""
    lines = ["# Figures", "", "Written by `make bench`; the next complete run replaces it.", ""]
    lines += [*(f"* {line}" for line in circumstances), ""]
    lines += ["| figure | to reach | measured | reference of the same run | |", "|---|---|---|---|---|"]
    lines += [_row(figure) for outcome in outcomes.values() for figure in outcome.figures]
    failed = {name: outcome.problem for name, outcome in outcomes.items() if outcome.problem}
    lines += [f"| {name} | | {cell(problem)} | | **not measured** |" for name, problem in failed.items()]
    for outcome in outcomes.values():
        for figure in outcome.figures:
            if figure.details:
                lines += ["", f"## {figure.name}", "", *(f"* {detail}" for detail in figure.details)]
    return "\n".join(lines) + "\n"


def _row(figure: Figure) -> str:
    verdict = "holds" if figure.holds else "**falls short**"
    cells = (figure.name, figure.goal, figure.measured, figure.reference, verdict)
    return f"| {' | '.join(map(cell, cells))} |"


def cell(text: str) -> str:
    """The text as it may stand in a cell of a table."""
    return " ".join(text.replace("|", "\\|").split())
