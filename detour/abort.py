"""`detour abort`: give up what runs as a canary, or waits."""

import click

from analyzer.wishes import Verb
from detour.application import NAME, Name
from detour.person import Place, at_a_place
from detour.wish import wish


@click.command("abort")
@click.argument("name", type=NAME)
@click.option("--reason", default="", help="why; it stands in the events and in the history")
@at_a_place
def command(place: Place, name: Name, reason: str) -> None:
    """Give up what runs as a canary, or waits.

    It is remembered as rejected: the same template does not run again unless kubectl detour retry asks for it.

    \b
    Example: kubectl detour abort podinfo -n shop --reason "wrong branch"
    """
    wish(place, name, Verb.ABORT, reason)
