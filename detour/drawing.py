"""How a picture of an application looks: a tree for one, a table for many, and the table of a history.

Everything is Text, never markup: what stands in a cluster may have brackets in it.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from analyzer.status import timestamp
from detour.picture import Held, Picture, Runs
from webhook.revision import short

COLOURS = {
    "Waiting": "yellow",
    "Progressing": "yellow",
    "WaitingPromotion": "yellow",
    "Promoting": "cyan",
    "Finalising": "cyan",
    "Succeeded": "green",
    "Failed": "red",
}
NONE = "-"
WIDTH = 10


def tree(picture: Picture, now: datetime) -> Tree:
    """All about one application."""
    title = Text(f"{picture.name} ", style="bold")
    title.append(f"(namespace {picture.namespace}) ", style="dim")
    title.append(picture.phase or "no Canary", style=_style(picture.phase))
    drawn = Tree(title)
    drawn.add(_deployment("primary", picture.primary))
    if picture.diverted:
        waits = picture.diverted
        whose = f"by {waits.by or 'somebody'}" + (f" with {waits.manager}" if waits.manager else "")
        drawn.add(Text(f"{'diverted':<{WIDTH}}{_images(waits.images)}  revision {short(waits.revision)} {whose}"))
    if picture.canary:
        drawn.add(_deployment("canary", picture.canary))
    if picture.routes or picture.routes is None:
        _routes(drawn, picture)
    if picture.phase:
        _analysis(drawn, picture, now)
    if picture.held:
        drawn.add(_held(picture, picture.held))
    if picture.message:
        drawn.add(Text(picture.message, style="red" if picture.phase == "Failed" else "yellow"))
    if picture.last:
        drawn.add(Text(f"last: {_ending(picture.last)}", style="dim"))
    return drawn


def table(pictures: Iterable[Picture], *, namespaces: bool) -> Table:
    """One line an application."""
    drawn = _table(
        *(["NAMESPACE"] if namespaces else []), "NAME", "PHASE", "WEIGHT", "READY", "PRIMARY", "DIVERTED", "SAYS"
    )
    for each in pictures:
        primary, waits = each.primary, each.diverted
        drawn.add_row(
            *([Text(each.namespace)] if namespaces else []),
            Text(each.name),
            Text(each.phase or NONE, style=_style(each.phase)),
            Text(f"{each.weight} %"),
            Text(f"{primary.ready}/{primary.wanted}" if primary else NONE),
            Text(_images(primary.images) if primary else NONE),
            Text(_images(waits.images) if waits else NONE),
            Text(each.message or NONE),
        )
    return drawn


def history_table(entries: Iterable[Mapping[str, Any]]) -> Table:
    """One line an ending, the last one at the bottom."""
    drawn = _table("ENDED", "REVISION", "IMAGES", "BY", "WITH", "OUTCOME", "MESSAGE", "CHECKS")
    for entry in entries:
        outcome = str(entry.get("outcome", ""))
        cells = (
            _local(entry.get("endTime")),
            short(str(entry.get("revision", ""))),
            _images(entry.get("images") or ()),
            str(entry.get("by") or NONE),
            str(entry.get("manager") or NONE),
        )
        checks = "; ".join(entry.get("checks") or ()) or NONE
        style = "green" if outcome == "Succeeded" else "red"
        drawn.add_row(*map(Text, cells), Text(outcome, style=style), Text(str(entry.get("message", ""))), Text(checks))
    return drawn


def _table(*columns: str) -> Table:
    drawn = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for column in columns:
        drawn.add_column(column, overflow="fold")
    return drawn


def _deployment(what: str, runs: Runs | None) -> Text:
    if runs is None:
        return Text(f"{what:<{WIDTH}}{NONE}")
    drawn = Text(f"{what:<{WIDTH}}{_images(runs.images)}  {runs.ready}/{runs.wanted} available")
    return drawn.append(f"  {runs.progress}", style="yellow") if runs.progress else drawn


def _routes(drawn: Tree, picture: Picture) -> None:
    if picture.routes is None:
        drawn.add(Text("routes  you may not list Ingresses here", style="dim"))
        return
    branch = drawn.add(Text("routes"))
    for route in picture.routes:
        branch.add(Text(f"{route.kind} {route.name}  " + (NONE if route.weight is None else f"{route.weight} %")))


def _analysis(drawn: Tree, picture: Picture, now: datetime) -> None:
    if step := picture.step:
        parts = [f"weight {picture.weight} %", f"{step.kind} {step.number} of {step.of}"]
        if step.next_weight is None:
            parts.append("then the promotion")
        elif step.kind == "step" or step.next_weight != picture.weight:
            parts.append(f"next {step.next_weight} %")
        if picture.next_check:
            left = (picture.next_check - now).total_seconds()
            parts.append(f"next check in {left:.0f} s" if left > 0 else "next check now")
        drawn.add(Text(", ".join(parts)))
    elif picture.weight:
        drawn.add(Text(f"weight {picture.weight} %"))
    if picture.checks and picture.diverted:
        branch = drawn.add(Text(f"checks, {picture.failed_checks} failed so far, {picture.threshold or NONE} end it"))
        for check in picture.checks:
            branch.add(Text(check))


def _held(picture: Picture, held: Held) -> Text:
    """What is waited for, and what to type."""
    drawn = Text(f"waits at {held.gate}")
    if held.since:
        drawn.append(f" since {_local(timestamp(held.since))}")
    if held.until:
        drawn.append(f", until {_local(timestamp(held.until))}")
    return drawn.append(f": kubectl detour approve {picture.name} -n {picture.namespace}, or abort", style="yellow")


def _ending(entry: Mapping[str, Any]) -> str:
    revision = short(str(entry.get("revision", "")))
    return f"{entry.get('outcome')} {_local(entry.get('endTime'))}, revision {revision}: {entry.get('message', '')}"


def _images(images: Iterable[str]) -> str:
    return ", ".join(images) or NONE


def _style(phase: str) -> str:
    return COLOURS.get(phase, "" if phase else "dim")


def _local(text: str | None) -> str:
    """A time of the API as the clock on the wall shows it, with its zone."""
    if not text:
        return NONE
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
