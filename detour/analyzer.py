"""`detour analyzer`: the controller, put together."""

import logging
import os
import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import click

from analyzer import telemetry
from analyzer.addresses import OPTION as ALLOW
from analyzer.addresses import Addresses
from analyzer.agenda import Agenda
from analyzer.cluster import Cluster
from analyzer.controller import Controller
from analyzer.custody import Custody
from analyzer.journal import Journal
from analyzer.kube import servers
from analyzer.kube.client import Client
from analyzer.kube.errors import NoCluster
from analyzer.kube.lease import Lease
from analyzer.kube.mishap import Mishap
from analyzer.kube.resources import PODS
from analyzer.measure import SHARE, Measurer, Reach
from analyzer.measurements import Measurements
from analyzer.perform import Performer
from analyzer.policies import Policies, ensure_default
from analyzer.routing.nginx import Nginx
from analyzer.witness import Witness
from detour import logs
from detour.keeper import OWN, SOURCES, Keeper, Source, keeper
from webhook.health import Health

log = logging.getLogger(__name__)


@click.command("analyzer")
@click.option("--certificates", type=click.Path(path_type=Path), required=True, help="where the webhook reads its own")
@click.option("--certificates-from", type=click.Choice(SOURCES), default=OWN, show_default=True, help="who issues them")
@click.option(
    "--mounted", type=click.Path(path_type=Path), default=Path("/run/detour/secret"), help="the Secret's files"
)
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
    source = Source(certificates_from, mounted)

    def tell(problem: str) -> None:
        Journal(client, identity).warn("Certificates", problem, PODS, pod)

    kept = keeper(client, namespace, certificates, source, tell)
    Health(port, lambda: _waits(kept, cluster), telemetry.exposition).start()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    kept.start()
    lease = Lease(client, namespace, identity)
    threading.Thread(target=_lead, args=(lease, cluster, agenda, identity, reach), name="lead", daemon=True).start()
    stop.wait()
    agenda.close()
    lease.release()


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


def _lead(lease: Lease, cluster: Cluster, agenda: Agenda, identity: str, reach: Reach) -> None:
    """A replica that cannot even begin must not go on looking healthy."""
    try:
        _begin(lease, cluster, agenda, identity, reach)
    except Exception:
        log.exception("the analyzer could not begin")
        os._exit(1)


def _begin(lease: Lease, cluster: Cluster, agenda: Agenda, identity: str, reach: Reach) -> None:
    """Every replica follows the cluster; the one that leads acts on it."""
    for watch in cluster.watches:
        watch.start()
    lease.hold(on_lost=begin_anew)
    telemetry.LEADING.set(1)
    while not cluster.synced:
        threading.Event().wait(0.05)
    ensure_default(cluster.client)
    router, journal = Nginx(), Journal(cluster.client, identity)
    here = servers.places(cluster.client, cluster.services.get(servers.NAMESPACE, servers.NAME))
    measurer = Measurer(cluster, replace(reach, addresses=reach.addresses.beside(here)))
    measurements = Measurements(agenda.add)
    performer = Performer(cluster, router, journal, measurer, measurements)
    policies, custody = Policies(cluster, journal), Custody(cluster, journal, agenda.add)
    witness = Witness(cluster, journal)
    Controller(cluster, agenda, performer, router, measurements, policies, custody, witness).start()
    log.info("at work")


def begin_anew() -> None:
    """Another replica may lead already: whatever this one still wants to do must not happen.

    The process is replaced by itself, so that nothing of it is left, and not ended: a kubelet lets a container wait for
    minutes that ends again and again, as it would with an API server that comes and goes.
    """
    log.warning("beginning anew, as a replica that does not lead")
    os.execv(sys.executable, sys.orig_argv)
