"""`detour retry`: let a rejected revision run once more, unchanged."""

import click

from analyzer.wishes import Verb
from detour.application import NAME, Name
from detour.person import Place, at_a_place
from detour.wish import wish


@click.command("retry")
@click.argument("name", type=NAME)
@click.option("--reason", default="", help="why; it stands in the events and in the history")
@at_a_place
def command(place: Place, name: Name, reason: str) -> None:
    """Run the rejected revision again, unchanged, from the beginning of its analysis.

    \b
    Example: kubectl detour retry podinfo -n shop --reason "the database was down"
    """
    wish(place, name, Verb.RETRY, reason)
