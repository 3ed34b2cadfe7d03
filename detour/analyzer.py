"""`detour analyzer`: the controller, put together."""

import logging
import os
import signal
import threading
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import click

from analyzer import telemetry
from analyzer.addresses import OPTION as ALLOW
from analyzer.addresses import Addresses
from analyzer.agenda import Agenda
from analyzer.anchor import Anchor
from analyzer.cluster import Cluster
from analyzer.journal import Journal
from analyzer.kube.client import Client
from analyzer.kube.errors import NoCluster
from analyzer.kube.lease import Lease
from analyzer.kube.mishap import Mishap
from analyzer.kube.resources import PODS
from analyzer.measure import SHARE, Reach
from analyzer.removal import Removal
from detour import logs
from detour.keeper import OWN, SOURCES, Keeper, Source, keeper
from detour.replica import Replica
from webhook.health import Health

log = logging.getLogger(__name__)


@click.command("analyzer")
@click.option("--certificates", type=click.Path(path_type=Path), required=True, help="where the webhook reads its own")
@click.option("--certificates-from", type=click.Choice(SOURCES), default=OWN, show_default=True, help="who issues them")
@click.option(
    "--mounted", type=click.Path(path_type=Path), default=Path("/run/detour/secret"), help="the Secret's files"
)
@click.option("--settle", type=click.IntRange(1), default=60, hidden=True, help="seconds, for tests; see certs.brought")
@click.option("--kubeconfig", help="instead of the pod's own ServiceAccount")
@click.option("--port", default=8082, show_default=True, help="plain HTTP: /healthz, /readyz, /metrics")
@click.option("--metrics-server", default="", help="the Prometheus of built-in metrics, if a Canary names none")
@click.option(ALLOW, "allowed", multiple=True, metavar="HOST|CIDR", help="may be called, although refused otherwise")
@click.option(SHARE, "shared", multiple=True, metavar="NAMESPACE", help="whose MetricTemplates all may use; * for any")
@click.option("--log-level", default="info", show_default=True)
@click.option("--mishap", type=Mishap.parse, hidden=True, help="tests: `kill after 1`, `stop before 3` write")
def command(
    certificates: Path,
    certificates_from: str,
    mounted: Path,
    settle: int,
    kubeconfig: str | None,
    port: int,
    metrics_server: str,
    allowed: tuple[str, ...],
    shared: tuple[str, ...],
    log_level: str,
    mishap: Mishap | None,
) -> None:
    """Run the analyzer: canaries, weights, verdicts, promotions, and the webhook's certificates."""
    logs.configure(log_level)
    identity, namespace = os.environ.get("POD_NAME", "detour"), os.environ.get("POD_NAMESPACE", "detour")
    try:
        client = Client.connect(kubeconfig, mishap)
    except NoCluster as error:
        raise click.ClickException(f"no cluster: {error}; run it in a pod, or name one by --kubeconfig") from error
    agenda = Agenda()
    reach = _reach(allowed, shared, metrics_server, namespace)
    cluster = Cluster.follow(client, agenda.add, namespace)
    pod = {"name": identity, "namespace": namespace, "uid": os.environ.get("POD_UID", "")}
    source = Source(certificates_from, mounted, timedelta(seconds=settle))

    def tell(problem: str) -> None:
        Journal(client, identity).warn("Certificates", problem, PODS, pod)

    kept = keeper(client, namespace, certificates, source, tell)
    Health(port, lambda: _waits(kept, cluster), telemetry.exposition).start()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    kept.start()
    lease, removal = Lease(client, namespace, identity), Removal(cluster)
    replica = Replica(lease, cluster, agenda, removal, Anchor(cluster, removal), identity, reach)
    threading.Thread(target=replica.lead, name="lead", daemon=True).start()
    stop.wait()
    replica.stop()


def _reach(allowed: tuple[str, ...], shared: tuple[str, ...], metrics_server: str, home: str) -> Reach:
    """What the operator names may be called, his Prometheus, too; and templates beside Detour are his own."""
    known = (urlsplit(metrics_server).hostname,) if metrics_server else ()
    try:
        addresses = Addresses.allowing(*allowed, *(host for host in known if host))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=ALLOW) from error
    return Reach(addresses, frozenset((*shared, home)), metrics_server)


def _waits(kept: Keeper, cluster: Cluster) -> str:
    return "; ".join(filter(None, (kept.problem, "" if cluster.synced else "waiting for the watches")))
