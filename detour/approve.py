"""`detour approve`: consent in place of the gate that a revision waits at."""

import click

from analyzer.wishes import Verb
from detour.application import NAME, Name
from detour.person import Place, at_a_place
from detour.wish import wish


@click.command("approve")
@click.argument("name", type=NAME)
@click.option("--reason", default="", help="why; it stands in the events")
@at_a_place
def command(place: Place, name: Name, reason: str) -> None:
    """Let a revision past the gate that it waits at: confirm-rollout, confirm-traffic-increase or confirm-promotion.

    It goes on with its analysis, and the next gate asks again. Needs the RBAC verb approve on canaries.detour.dev
    (ClusterRole detour-approve). kubectl detour status says which gate waits; abort is the other answer.

    \b
    Example: kubectl detour approve podinfo -n shop --reason "seen by Ann"
    """
    wish(place, name, Verb.APPROVE, reason)
