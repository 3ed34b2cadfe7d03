"""`detour history`: how the last revisions ended."""

import json

import click

from detour.application import NAME, Name, find
from detour.drawing import history_table
from detour.person import Place, at_a_place
from detour.terminal import console, say


@click.command("history")
@click.argument("name", type=NAME)
@click.option("--output", "-o", type=click.Choice(["text", "json"]), default="text", help="json: for programs")
@at_a_place
def command(place: Place, name: Name, output: str) -> None:
    """Show how the last revisions of NAME ended: when, what, whose, how and why, and the value of every check.

    \b
    Example: kubectl detour history podinfo -n shop
    """
    found = find(place, name)
    found.managed()
    entries = [dict(entry) for entry in found.status.history]
    if output == "json":
        click.echo(json.dumps(entries, indent=2))
    elif entries:
        console().print(history_table(entries))
    else:
        say(f"no revision of {found.name} has ended yet", problem=True)
