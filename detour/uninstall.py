"""`detour uninstall`: remove Detour from a cluster, whatever it is in the middle of."""

import time
from collections.abc import Iterable
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from analyzer import farewell, policy
from analyzer.kube.errors import ApiError, NotFound, Unreachable
from analyzer.kube.resources import CANARIES, DEPLOYMENTS, NAMESPACES
from analyzer.removal import LEAVING
from analyzer.workload import images
from detour.installation import PARTS, ROUTES, Found, Installation, home_of, names
from detour.person import Problem, place, sentence
from detour.terminal import console, report, say
from detour.way_out import GONE_WITHIN, take_back, until, waiting
from detour.wish import whoami
from webhook import stash

WAY_OUT = 300.0  # seconds that a living analyzer has for the way out
HOW = "Ship one by applying its manifest again, or let a new installation carry on: docs/removal.md"
FATE = {
    False: "What waits stays on its Deployment, for a new installation",
    True: "What waits is dropped; the primary stays as it is",
}


@click.command("uninstall")
@click.option("--yes", is_flag=True, help="do not ask")
@click.option("--crds", is_flag=True, help="the definitions, too, and with them every Canary, also a running Flagger's")
@click.option("--drop-pending", is_flag=True, help="forget the updates that wait")
@click.option("--kubeconfig", help="by default $KUBECONFIG, else ~/.kube/config, else the pod's ServiceAccount")
@click.option("--home", default="detour", show_default=True, help="Detour's namespace, where its binding is gone")
def command(yes: bool, crds: bool, drop_pending: bool, kubeconfig: str | None, home: str) -> None:
    """Remove Detour from the cluster: traffic goes back to the primaries first, then everything goes.

    It may be interrupted, and called again. What waits is listed, before and after.

    \b
    Example: kubectl detour uninstall
    """
    client = place(kubeconfig, None).client
    try:
        here = Installation(client, home_of(client, home))
        _announce(here, crds=crds, drop=drop_pending)
        if not yes:
            click.confirm("Go on?", abort=True)
        _uninstall(here, whoami(place(kubeconfig, None)), crds=crds, drop=drop_pending)
    except (ApiError, Unreachable) as error:
        raise Problem(f"{sentence(error)}; call this again: it carries on") from error


def _announce(here: Installation, *, crds: bool, drop: bool) -> None:
    parts = [*here.admission(), *here.rights(), *here.definitions(users=False)]
    parts += here.definitions(users=True) if crds else []
    flying, held = [*here.made(*ROUTES, *PARTS), *here.split()], here.held()
    where = f"namespace {here.home}" if here.namespace() else "its namespace, which is gone already"
    say(f"Detour goes: {where}, {len(parts)} objects of the whole cluster.")
    if crds:
        say("Every Canary, CanaryPolicy, MetricTemplate and AlertProvider of the cluster goes, too (--crds).")
    if flying:
        say(f"In flight, taken back first: {names(flying)}")
    if held:
        say(f"Held, and let go, what was deleted vanishes: {names(held)}")
    _show_waiting(here, drop)


def _show_waiting(here: Installation, drop: bool) -> None:
    found = [each for each in here.client.list(DEPLOYMENTS).get("items") or () if farewell.waits(each)]
    if not found:
        say("No update waits.")
        return
    console().print(_table(found))
    say(f"{FATE[drop]}. {'' if drop else HOW}".rstrip())


def _table(deployments: Iterable[dict[str, Any]]) -> Table:
    drawn = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for column in ("NAMESPACE", "DEPLOYMENT", "WAITING", "RUNNING", "SINCE", "BY"):
        drawn.add_column(column, overflow="fold")
    for found in deployments:
        metadata, waits, author = found["metadata"], waiting(found), stash.diverted_by(found)
        template = waits.template if waits else {}
        cells = (
            metadata["namespace"],
            metadata["name"],
            " ".join(images(template)) or "(cannot be read)",
            " ".join(images(found["spec"]["template"])),
            _since(found),
            author.user if author else "-",
        )
        drawn.add_row(*map(Text, cells))
    return drawn


def _since(deployment: dict[str, Any]) -> str:
    """When its writer last wrote a template, by the API server's own books."""
    author = stash.diverted_by(deployment)
    times = [
        str(entry.get("time", ""))
        for entry in deployment["metadata"].get("managedFields") or ()
        if author and entry.get("manager") == author.manager and "f:spec" in (entry.get("fieldsV1") or {})
    ]
    return max(times, default="-")


def _uninstall(here: Installation, who: str, *, crds: bool, drop: bool) -> None:
    _stop_everything(here, who)
    _delete("what the API server asks and judges by", here, here.admission())
    _stop_analyzer(here)
    take_back(here, report)  # what is left where no analyzer was, or none that came to its end
    report("our keys go from the Deployments")
    farewell.leave(here.client, keep=not drop)
    _delete_given_canaries(here)
    here.let_go()
    _delete("the rights", here, [*here.rights(), *here.definitions(users=False)])
    if crds:
        _delete("the definitions, and with them every Canary", here, here.definitions(users=True))
    _delete_namespace(here)
    report("Detour is removed")
    _show_waiting(here, drop)


def _stop_everything(here: Installation, who: str) -> None:
    """Nothing new begins, and an analyzer that lives takes back what is in flight: it knows how far each has come."""
    if here.namespace() is None or here.deployment() is None:
        return
    report("nothing new begins; what is in flight is taken back")
    here.client.merge(NAMESPACES, None, here.home, {"metadata": {"annotations": {LEAVING: f"by {who}"}}})
    if not _left(here):
        return
    if not _analyzer_lives(here):
        report("the analyzer does not work: without it")
        return
    until(lambda: not _left(here), WAY_OUT, "the analyzer has taken back what is in flight", report, must=False)


def _left(here: Installation) -> list[Found]:
    return [*here.made(*ROUTES, *PARTS), *here.split(), *here.held()]


def _analyzer_lives(here: Installation) -> bool:
    """Whether its lease is being renewed, by nobody's clock."""
    before, deadline = here.renewed(), time.monotonic() + here.lease_lasts()
    while time.monotonic() < deadline:
        if here.renewed() != before:
            return True
        time.sleep(0.5)
    return False


def _stop_analyzer(here: Installation) -> None:
    found = here.deployment()
    if found is not None:
        _delete("the webhook and the analyzer", here, [(DEPLOYMENTS, found)])
        until(lambda: not _analyzer_lives(here), GONE_WITHIN, "the analyzer has ended", report, must=False)


def _delete(what: str, here: Installation, things: list[Found]) -> None:
    if things:
        report(f"deleting {what}: {names(things)}")
        here.delete(*things)


def _delete_given_canaries(here: Installation) -> None:
    """Those that Detour has made itself, of a policy; the users' stay."""
    try:
        canaries = here.client.list(CANARIES).get("items") or ()
    except NotFound:
        return
    _delete(
        "the Canaries that policies gave", here, [(CANARIES, each) for each in canaries if policy.is_by_policy(each)]
    )


def _delete_namespace(here: Installation) -> None:
    found = here.namespace()
    if found is None:
        return
    if (found["metadata"].get("labels") or {}).get("app.kubernetes.io/name") != "detour":
        report(f"namespace {here.home} is not Detour's own, and stays: delete in it what is labelled as Detour's")
        return
    _delete("the namespace", here, [(NAMESPACES, found)])
    until(lambda: here.namespace() is None, GONE_WITHIN, f"namespace {here.home} is gone", report)
