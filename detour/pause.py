"""`detour pause`: nothing new begins in a namespace, or in the whole cluster, until it is resumed."""

import click

from analyzer.kube.resources import NAMESPACES
from analyzer.pauses import PAUSED
from detour.person import Place, at_a_place
from detour.wish import whoami


@click.command("pause")
@click.option("--all", "whole", is_flag=True, help="the whole cluster: the pause is written on Detour's own namespace")
@click.option("--home", default="detour", show_default=True, help="Detour's own namespace")
@click.option("--reason", default="", help="why; whoever waits is told")
@at_a_place
def command(place: Place, whole: bool, home: str, reason: str) -> None:
    """Let new revisions wait in a namespace, or everywhere.

    What runs as a canary goes on. Updates are diverted as ever and wait; a primary that is down gets its fix.

    \b
    Example: kubectl detour pause -n shop --reason "release freeze"
    """
    where = home if whole else place.namespace
    why = " ".join(reason.split())
    note = f"by {whoami(place)}" + (f" ({why})" if why else "")
    place.client.merge(NAMESPACES, None, where, {"metadata": {"annotations": {PAUSED: note}}})
    what, undo = ("the whole cluster", "--all") if whole else (f"namespace {where}", f"-n {where}")
    click.echo(f"new revisions in {what} wait from now on; what runs goes on; resume: kubectl detour resume {undo}")
