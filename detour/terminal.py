"""Where commands write what a person reads: nothing that others have written in it tells his terminal what to do.

An image, a user name or a reason may hold escape sequences. What is for programs (JSON, YAML) escapes them by itself.
"""

import sys
from collections.abc import Iterable
from datetime import datetime

import click
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from analyzer.wording import printable

UNBOUNDED = 1000  # columns, where nobody looks through a window: nothing is cut off that is piped on


def say(line: str, *, problem: bool = False) -> None:
    """One line; what went wrong is no part of the output."""
    click.echo(printable(line), err=problem)


def report(line: str) -> None:
    """One line of what takes a while, with the time."""
    say(f"{datetime.now():%H:%M:%S} {line}")


def console() -> Console:
    """For tables and trees."""
    return _Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else UNBOUNDED)


class _Console(Console):
    """The only sequences that reach the terminal are its own."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The pieces of what is drawn, which have line breaks in them: a column keeps them to itself."""
        for piece in super().render(renderable, options):
            clean = "\n".join(map(printable, piece.text.split("\n")))
            yield piece if piece.control else piece._replace(text=clean)
