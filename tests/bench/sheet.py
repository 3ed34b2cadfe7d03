"""A table of what was measured or played: for the terminal and for an evidence file, of the same cells. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

LONGEST_PROBLEM = 300
"""Characters of what does not hold, in a cell; all of it is told below the table."""


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the table; one that does not hold has to be seen at once."""

    cells: tuple[str, ...]
    holds: bool


def drawn(columns: Sequence[str], lines: Iterable[Line], title: str | None = None) -> Table:
    """For the terminal."""
    shown = Table(title=title, show_lines=True)
    for column in columns:
        shown.add_column(column, overflow="fold")
    for line in lines:
        shown.add_row(*(Text(each, "" if line.holds else "bold red") for each in line.cells))
    return shown


def written(columns: Sequence[str], lines: Iterable[Line]) -> list[str]:
    """In Markdown, line by line."""
    return [_row(columns), "|---" * len(columns) + "|", *(_row(tuple(map(cell, line.cells))) for line in lines)]


def told(name: str, details: Iterable[str]) -> list[str]:
    """What there is to tell of one of them, below the table."""
    return ["", f"## {name}", "", *(f"* {detail}" for detail in details)]


def cell(text: str) -> str:
    """The text as it may stand in a cell of a Markdown table."""
    return " ".join(text.replace("|", "\\|").split())


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
