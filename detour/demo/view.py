"""Two ways to show one and the same snapshot: a live picture in a terminal, plain lines anywhere else."""

from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from detour.demo.figures import Moving, figure

EVERY = 2.0  # seconds between plain lines when nothing changes
COLOURS = {"Progressing": "yellow", "Promoting": "cyan", "Finalising": "cyan", "Succeeded": "green", "Failed": "red"}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that is shown at one moment. `at` in seconds since the traffic began, `weight` in percent."""

    at: float
    chapter: str
    phase: str
    weight: int
    canary: str
    primary: str
    event: str
    moving: Moving
    sent: int
    failed: int
    faults: int


class View(Protocol):
    """Where the demo is shown; a context manager around the whole story."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def say(self, line: str) -> None:
        """A line that stays."""

    def show(self, snapshot: Snapshot) -> None:
        """How things stand; called several times a second."""


class Plain:
    """A line when something changed, and every `EVERY` seconds."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last: tuple[str, int, str] | None = None
        self._last_at = 0.0
        self._event = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def say(self, line: str) -> None:
        """As it is."""
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def show(self, snapshot: Snapshot) -> None:
        """A line, if there is anything to tell."""
        if snapshot.event != self._event:
            self._event = snapshot.event
            self.say(f"{snapshot.at:6.1f} s  event: {snapshot.event}")
        now = (snapshot.phase, snapshot.weight, snapshot.primary)
        if now != self._last or snapshot.at - self._last_at >= EVERY:
            self._last, self._last_at = now, snapshot.at
            self.say(line(snapshot))


class Picture:
    """A picture that is redrawn in place; what is said scrolls by above it."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, refresh_per_second=8, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def say(self, line: str) -> None:
        """Above the picture."""
        self._live.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def show(self, snapshot: Snapshot) -> None:
        """Redraw."""
        self._live.update(picture(snapshot))


def choose(plain: bool) -> View:
    """The picture in a terminal, unless plain lines are asked for."""
    console = Console()
    return Picture(console) if console.is_terminal and not plain else Plain(console)


def line(snapshot: Snapshot) -> str:
    """The snapshot in one line."""
    moving = snapshot.moving
    return (
        f"{snapshot.at:6.1f} s  {snapshot.phase:<11} weight {snapshot.weight:3d} %  "
        f"canary's share {figure(moving.share, '%')}  success {figure(moving.success, '%')}  "
        f"p99 {figure(moving.p99, 'ms')}  {moving.per_second:4.1f}/s  "
        f"sent {snapshot.sent}  failed {snapshot.failed}  primary {snapshot.primary}"
    )


def picture(snapshot: Snapshot) -> RenderableType:
    """The snapshot as a panel."""
    moving, failed = snapshot.moving, snapshot.failed
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", min_width=17)
    table.add_column(width=40)
    table.add_column()
    table.add_row("phase", Text(snapshot.phase, style=COLOURS.get(snapshot.phase, "white")), "")
    table.add_row("primary", snapshot.primary, "")
    table.add_row("canary", snapshot.canary or Text("none", style="dim"), "")
    table.add_row("weight", _bar(snapshot.weight), f"{snapshot.weight:5d} %")
    table.add_row("share in answers", _bar(moving.share or 0.0), figure(moving.share, "%"))
    table.add_row("success rate", _bar(moving.success or 0.0), figure(moving.success, "%"))
    table.add_row("p99 latency", figure(moving.p99, "ms"), "")
    table.add_row("requests", f"{snapshot.sent} sent, {moving.per_second:.1f} a second", "")
    table.add_row("failed", Text(str(failed), style="bold red" if failed else "green"), "")
    table.add_row("bad version's own", f"{snapshot.faults} errors", "")
    event = Text(snapshot.event or "none yet", overflow="ellipsis", no_wrap=True)
    return Panel(Group(table, Text(), event), title=f"{snapshot.chapter}  {snapshot.at:.0f} s", title_align="left")


def _bar(percent: float) -> ProgressBar:
    return ProgressBar(total=100, completed=percent, width=40, complete_style="green", finished_style="green")
