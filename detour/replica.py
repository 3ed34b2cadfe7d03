"""One of several replicas of the analyzer: every one follows the cluster, and the one that leads acts on it."""

import logging
import os
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from analyzer import telemetry
from analyzer.afterwards import Afterwards
from analyzer.agenda import Agenda
from analyzer.alerts.alert import Destination
from analyzer.alerts.herald import Herald
from analyzer.alerts.providers import Providers
from analyzer.anchor import Anchor
from analyzer.callbacks import Callbacks
from analyzer.clock import Clock
from analyzer.cluster import Cluster
from analyzer.controller import Controller
from analyzer.custody import Custody
from analyzer.departure import depart
from analyzer.gauges import Gauges, Reach
from analyzer.journal import Journal
from analyzer.kube import servers
from analyzer.kube.errors import ApiError, Unreachable
from analyzer.kube.lease import Lease
from analyzer.lookout import Lookout
from analyzer.measure import Measurer
from analyzer.measurements import Measurements
from analyzer.perform import Performer
from analyzer.places import Places
from analyzer.policies import Policies, ensure_default
from analyzer.removal import Removal
from analyzer.rollouts import Rollouts
from analyzer.routing import Router
from analyzer.vetting import Vetting
from analyzer.witness import Witness

BEFORE_ANOTHER_TRY = 5.0  # seconds

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator chooses: who splits requests, what may be called, the spec of the default policy, where alerts
    of Canaries go that name nobody, of which cluster they say that they are, how many rollouts may be in flight at once
    (0: any number), the provider of Canaries that name none ("" for what is found), and where their events go that have
    no webhook for them.
    """

    router: Router
    reach: Reach
    default_policy: Mapping[str, Any] | None = None
    alerts: Mapping[str, Destination] = field(default_factory=dict)
    cluster_name: str = ""
    at_once: int = 0
    provider: str = ""
    event_webhook: str = ""


@dataclass(frozen=True, slots=True)
class Replica:
    """Begins in `lead`, and ends in `stop`."""

    lease: Lease
    cluster: Cluster
    agenda: Agenda
    removal: Removal
    anchor: Anchor
    identity: str
    settings: Settings
    at_work: threading.Event = field(default_factory=threading.Event)

    def lead(self) -> None:
        """A replica that cannot even begin lets another try, and tries again itself.

        It does not end: the kubelet would take the pod out of the Service, and with it the webhook, which can.
        """
        try:
            self._begin()
        except Exception:
            log.exception("the analyzer could not begin, again in %.0f s", BEFORE_ANOTHER_TRY)
            self.lease.release()
            time.sleep(BEFORE_ANOTHER_TRY)
            begin_anew()

    def stop(self) -> None:
        """Let another lead; or, where Detour is being deleted and nobody comes after us, see everything out before."""
        if self.at_work.is_set() and self._is_for_good():
            self.lease.retire()
            depart(self.cluster, self.agenda, self.removal, self.anchor)
            self.agenda.close()
            return
        self.agenda.close()
        self.lease.release()

    def _begin(self) -> None:
        cluster = self.cluster
        for watch in cluster.watches:
            watch.start()
        if not self.lease.hold(on_lost=begin_anew):
            return
        telemetry.LEADING.set(1)
        while not cluster.synced:
            threading.Event().wait(0.05)
        cluster.flagger.look(cluster.targets.all())
        ensure_default(cluster.client, self.settings.default_policy)
        self._work()
        self.at_work.set()
        log.info("at work")

    def _work(self) -> None:
        """What is held comes before the rest: it may be deleted at any moment."""
        cluster, removal, reach = self.cluster, self.removal, self._reach()
        callbacks = Callbacks(reach.addresses, self.settings.event_webhook)
        journal = Journal(cluster.client, self.identity, callbacks.tell)
        policies, custody = Policies(cluster, journal, removal), Custody(cluster, journal, self.agenda.add)
        witness, herald = Witness(cluster, journal), self._herald(journal, reach)
        vetting = Vetting(cluster, Gauges(cluster, reach), journal, self.agenda.add)
        places = Places(cluster, self.agenda.add, self.settings.at_once)
        rollouts = self._rollouts(journal, policies, herald, places, reach)
        afterwards = Afterwards(cluster, journal, callbacks, self.agenda.add)
        duties = (
            lambda _: self.anchor.settle(),
            lambda key: cluster.flagger.settle(key, cluster.targets.all),
            lambda key: custody.settle(key, over=rollouts.is_over(key)),
            policies.settle,
            witness.settle,
            places.settle,
            rollouts.tell_rivals,
            herald.check,
            rollouts.reconcile,
            vetting.settle,
            herald.settle,
            afterwards.settle,
        )
        custody.start()
        Controller(self.agenda, duties, rollouts.knows).start()

    def _reach(self) -> Reach:
        """Not as far as the API server."""
        cluster, reach = self.cluster, self.settings.reach
        here = servers.places(cluster.client, cluster.services.get(servers.NAMESPACE, servers.NAME))
        return replace(reach, addresses=reach.addresses.beside(here))

    def _herald(self, journal: Journal, reach: Reach) -> Herald:
        settings = self.settings
        providers = Providers(self.cluster.client, reach.shared, settings.alerts)
        return Herald(self.cluster, providers, reach.addresses, journal, self.agenda.add, settings.cluster_name)

    def _rollouts(self, journal: Journal, policies: Policies, herald: Herald, places: Places, reach: Reach) -> Rollouts:
        cluster, removal, router = self.cluster, self.removal, self.settings.router
        measurer = Measurer(cluster, reach)
        measurements, now = Measurements(self.agenda.add), Clock(cluster.client.now())
        lookout = Lookout(cluster, router, measurements, now, self.settings.provider)
        performer = Performer(cluster, router, journal, measurer, measurements, removal)
        return Rollouts(cluster, lookout, performer, policies, removal, herald, places, now)

    def _is_for_good(self) -> bool:
        """Where nobody answers, another process will come."""
        try:
            return self.removal.has_begun()
        except (ApiError, Unreachable) as error:
            log.warning("whether Detour is being deleted cannot be told: %s", error)
            return False


def begin_anew() -> None:
    """Another replica may lead already: whatever this one still wants to do must not happen.

    The process is replaced by itself, so that nothing of it is left, and not ended: a kubelet lets a container wait for
    minutes that ends again and again, as it would with an API server that comes and goes.
    """
    log.warning("beginning anew, as a replica that does not lead")
    os.execv(sys.executable, sys.orig_argv)
