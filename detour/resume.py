"""`detour resume`: what waits may begin again."""

import click

from analyzer.kube.resources import NAMESPACES
from analyzer.pauses import DIRECT, PAUSED
from detour.person import Place, at_a_place
from detour.terminal import say


@click.command("resume")
@click.option("--all", "whole", is_flag=True, help="the whole cluster; a namespace's own pause stays")
@click.option("--home", default="detour", show_default=True, help="Detour's own namespace")
@at_a_place
def command(place: Place, whole: bool, home: str) -> None:
    """End a pause; what waits begins.

    \b
    Example: kubectl detour resume -n shop
    """
    where = home if whole else place.namespace
    place.client.merge(NAMESPACES, None, where, {"metadata": {"annotations": {PAUSED: None, DIRECT: None}}})
    say(f"new revisions in {'the whole cluster' if whole else f'namespace {where}'} begin again")
