"""`detour status`: how things stand, once or as they change."""

import json
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

import click
from rich.console import RenderableType
from rich.live import Live

from analyzer.kube.client import Object
from detour.application import NAME, Name, every, find, whole
from detour.drawing import table, tree
from detour.person import Place, Problem, at_a_place, patiently
from detour.picture import Picture, picture_of
from detour.terminal import console, say

LOOK_EVERY = 1.0  # seconds
PATIENCE = 300.0  # seconds without an API server until a watch gives up


@click.command("status")
@click.argument("name", type=NAME, required=False)
@click.option("--all-namespaces", "-A", is_flag=True, help="the table of the whole cluster")
@click.option("--watch", "-w", is_flag=True, help="show it again whenever something changes")
@click.option("--output", "-o", type=click.Choice(["text", "json"]), default="text", help="json: for programs")
@at_a_place
def command(place: Place, name: Name | None, all_namespaces: bool, watch: bool, output: str) -> None:
    """Show where NAME stands: what runs, what waits, its weight, its checks, and what is waited for.

    Without NAME: a table of every application with a Canary.

    \b
    Example: kubectl detour status podinfo -n shop --watch
    """
    if name and all_namespaces:
        raise click.UsageError("a NAME is of one namespace: leave out --all-namespaces")

    def look() -> list[Picture]:
        if name:
            return [picture_of(whole(place, find(place, name)))]
        return [picture_of(each) for each in every(place.client, None if all_namespaces else place.namespace)]

    def draw(pictures: list[Picture]) -> RenderableType:
        if name:
            return tree(pictures[0], datetime.now(UTC))
        return table(pictures, namespaces=all_namespaces)

    def as_json(pictures: list[Picture]) -> Object | list[Object]:
        return pictures[0].as_json() if name else [each.as_json() for each in pictures]

    if watch and output == "json":
        _follow(look, lambda pictures: click.echo(json.dumps(as_json(pictures))))
    elif watch and sys.stdout.isatty():
        _redraw(look, draw)
    elif watch:
        _follow(look, lambda pictures: console().print(draw(pictures)))
    elif output == "json":
        click.echo(json.dumps(as_json(look()), indent=2))
    elif pictures := look():
        console().print(draw(pictures))
    else:
        where = "the cluster" if all_namespaces else f"namespace {place.namespace}"
        raise Problem(f"no Canary in {where}: nothing is managed there")


def _follow(look: Callable[[], list[Picture]], show: Callable[[list[Picture]], None]) -> None:
    """Something new each time it changes, for pipes and logs: that time goes by is no change."""
    before: list[Picture] | None = None
    with suppress(KeyboardInterrupt):
        while True:
            pictures = _patient(look)
            if pictures != before:
                show(pictures)
                before = pictures
            time.sleep(LOOK_EVERY)


def _redraw(look: Callable[[], list[Picture]], draw: Callable[[list[Picture]], RenderableType]) -> None:
    """In a terminal: one picture, always as it is now."""
    with suppress(KeyboardInterrupt), Live(console=console(), auto_refresh=False) as live:
        while True:
            live.update(draw(_patient(look)), refresh=True)
            time.sleep(LOOK_EVERY)


def _patient(look: Callable[[], list[Picture]]) -> list[Picture]:
    return patiently(look, time.monotonic() + PATIENCE, partial(say, problem=True))
