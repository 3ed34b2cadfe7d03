"""The table for the terminal and the evidence file, from the figures and from where they were measured. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table

from tests.bench.figure import SHORT, Figure
from tests.bench.sheet import Line, drawn, told, written

COLUMNS = ("figure", "to reach", "measured", "reference of the same run", "")

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
    return drawn(COLUMNS, _lines(outcomes), SHORTENED if SHORT else None)


def evidence(outcomes: Mapping[str, Outcome], circumstances: Sequence[str]) -> str:
    """The evidence file: when and where, the table, and the details of every figure."""
    lines = ["# Figures", "", "Written by `make bench`; the next complete run replaces it.", ""]
    lines += [*(f"* {line}" for line in circumstances), "", *written(COLUMNS, _lines(outcomes))]
    for outcome in outcomes.values():
        for figure in outcome.figures:
            lines += told(figure.name, figure.details) if figure.details else []
    return "\n".join(lines) + "\n"


def _lines(outcomes: Mapping[str, Outcome]) -> Iterator[Line]:
    for name, outcome in outcomes.items():
        for figure in outcome.figures:
            cells = (figure.name, figure.goal, figure.measured, figure.reference)
            yield Line((*cells, "holds" if figure.holds else "FALLS SHORT"), figure.holds)
        if outcome.problem:
            yield Line((name, "–", outcome.problem, "–", "NOT MEASURED"), holds=False)
