"""`detour promote`: let what waits through, without the rest of its analysis."""

import click

from analyzer.wishes import Verb
from detour.application import NAME, Name
from detour.person import Place, at_a_place
from detour.wish import wish


@click.command("promote")
@click.argument("name", type=NAME)
@click.option("--reason", default="", help="why; it stands in the events and in the history")
@at_a_place
def command(place: Place, name: Name, reason: str) -> None:
    """Promote what runs as a canary, or waits, at once.

    Needs the RBAC verb promote on canaries.detour.dev (ClusterRole detour-promote). The primary rolls out as always,
    and gets its old template back if the new one does not come up.

    \b
    Example: kubectl detour promote podinfo -n shop --reason "fixes the outage"
    """
    wish(place, name, Verb.PROMOTE, reason)
