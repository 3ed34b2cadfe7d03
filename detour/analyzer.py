"""`detour analyzer`: the controller, put together."""

import logging
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import click

from analyzer import telemetry
from analyzer.agenda import Agenda
from analyzer.anchor import Anchor
from analyzer.census import Census
from analyzer.cluster import Cluster
from analyzer.journal import Journal
from analyzer.kube.client import Client
from analyzer.kube.errors import NoCluster
from analyzer.kube.lease import Lease
from analyzer.kube.mishap import Mishap
from analyzer.kube.resources import PODS
from analyzer.removal import Removal
from detour import __version__, logs
from detour.keeper import Keeper, keeper
from detour.options import Options, options
from detour.replica import Replica, Settings
from webhook.health import Health

log = logging.getLogger(__name__)


@click.command("analyzer")
@options
@click.option("--kubeconfig", help="instead of the pod's own ServiceAccount")
@click.option("--port", default=8082, show_default=True, help="plain HTTP: /healthz, /readyz, /metrics")
@click.option("--mishap", type=Mishap.parse, hidden=True, help="tests: `kill after 1`, `stop before 3` write")
def command(kubeconfig: str | None, port: int, mishap: Mishap | None, **flags: Any) -> None:
    """Run the analyzer: canaries, weights, verdicts, promotions, and the webhook's certificates."""
    chosen = Options(**flags)
    logs.configure(chosen.log_level, chosen.log_format)
    identity, namespace = os.environ.get("POD_NAME", "detour"), os.environ.get("POD_NAMESPACE", "detour")
    chats = chosen.chats
    settings = Settings(
        chosen.router,
        chosen.reach(namespace),
        chosen.default_policy,
        chats.destinations,
        chats.cluster_name,
        chosen.at_once,
        chosen.mesh_provider or "",
        chosen.event_webhook,
    )
    timing = chosen.timing
    client = _connected(kubeconfig, mishap)
    agenda = Agenda()
    cluster = Cluster.follow(client, agenda.add, namespace, chosen.scope)
    pod = {"name": identity, "namespace": namespace, "uid": os.environ.get("POD_UID", "")}

    def tell(problem: str) -> None:
        Journal(client, identity).warn("Certificates", problem, PODS, pod)

    kept = keeper(client, namespace, chosen.certificates, chosen.source, tell)
    lease, removal = Lease(client, namespace, identity, timing=timing), Removal(cluster)
    replica = Replica(lease, cluster, agenda, removal, Anchor(cluster, removal), identity, settings)
    Health(port, lambda: _waits(kept, cluster), _metrics(replica)).start()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    kept.start()
    threading.Thread(target=replica.lead, name="lead", daemon=True).start()
    stop.wait()
    replica.stop()


def _connected(kubeconfig: str | None, mishap: Mishap | None) -> Client:
    try:
        return Client.connect(kubeconfig, mishap, telemetry.requested)
    except NoCluster as error:
        raise click.ClickException(f"no cluster: {error}; run it in a pod, or name one by --kubeconfig") from error


def _metrics(replica: Replica) -> Callable[[], bytes]:
    """What is told when Prometheus asks."""
    census, agenda = Census(replica.cluster, replica.at_work.is_set), replica.agenda
    telemetry.REGISTRY.register(census)
    telemetry.BUILD.labels("analyzer", __version__).set(1)
    telemetry.QUEUE_LENGTH.set_function(lambda: agenda.overdue)
    telemetry.QUEUE_LATER.set_function(lambda: len(agenda) - agenda.overdue)
    return census.exposition


def _waits(kept: Keeper, cluster: Cluster) -> str:
    return "; ".join(filter(None, (kept.problem, "" if cluster.synced else "waiting for the watches")))
