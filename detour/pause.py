"""`detour pause`: until it is resumed, nothing new begins in a namespace or the whole cluster, or it goes directly."""

import click

from analyzer.kube.resources import NAMESPACES
from analyzer.pauses import DIRECT, PAUSED
from detour.person import Place, at_a_place
from detour.terminal import say
from detour.wish import whoami


@click.command("pause")
@click.option("--all", "whole", is_flag=True, help="the whole cluster: the pause is written on Detour's own namespace")
@click.option("--home", default="detour", show_default=True, help="Detour's own namespace")
@click.option("--direct", is_flag=True, help="let what comes through at once, without an analysis (verb bypass)")
@click.option("--reason", default="", help="why; whoever waits is told")
@at_a_place
def command(place: Place, whole: bool, home: str, direct: bool, reason: str) -> None:
    """Let new revisions wait in a namespace, or everywhere; or let them through without an analysis.

    What runs as a canary goes on. Updates are diverted as ever and wait; a primary that is down gets its fix.

    \b
    Example: kubectl detour pause -n shop --reason "release freeze"
    """
    where = home if whole else place.namespace
    why = " ".join(reason.split())
    note = f"by {whoami(place)}" + (f" ({why})" if why else "")
    marks = {DIRECT: note, PAUSED: None} if direct else {PAUSED: note, DIRECT: None}
    place.client.merge(NAMESPACES, None, where, {"metadata": {"annotations": marks}})
    what, undo = ("the whole cluster", "--all") if whole else (f"namespace {where}", f"-n {where}")
    fate = "go directly, without an analysis," if direct else "wait"
    say(f"new revisions in {what} {fate} from now on; what runs goes on; resume: kubectl detour resume {undo}")
