"""The last that an analyzer does which is being deleted: see every canary out, and take back what is its own.

Its rights last as long as its finalizer does (`analyzer.anchor`), its token for a minute after its ServiceAccount was
deleted, its pod for `terminationGracePeriodSeconds`. What is not over by then is left to `detour uninstall`, and until
somebody calls it, the deletion waits.
"""

import logging
import time
from collections.abc import Iterator

from analyzer import farewell
from analyzer.agenda import Agenda
from analyzer.anchor import Anchor
from analyzer.cluster import Cluster
from analyzer.kube.errors import ApiError, Unreachable
from analyzer.owners import owners_of
from analyzer.removal import Removal

PATIENCE = 45.0  # seconds; a token lasts for 60 after the ServiceAccount was deleted
HASTE = 6.0  # seconds that whoever deletes has for doing so himself
LOOK_EVERY = 0.2

log = logging.getLogger(__name__)


def depart(cluster: Cluster, agenda: Agenda, removal: Removal, anchor: Anchor) -> None:
    """Return when nothing of a canary is left, or no patience is. The agenda's workers do what there is to do."""
    begun = time.monotonic()
    for key in cluster.concerned():
        agenda.add(key)
    try:
        _is_over(cluster, begun + HASTE)
        removal.unhook()
        if _is_over(cluster, begun + PATIENCE):
            _take_back(cluster, removal, anchor)
            return
        log.error("not over within %.0f s, kubectl detour uninstall carries on", PATIENCE)
    except (ApiError, Unreachable) as error:
        log.error("not carried to its end, kubectl detour uninstall does so: %s", error)


def _is_over(cluster: Cluster, deadline: float) -> bool:
    said = ""
    while left := ", ".join(sorted(set(_left(cluster)))):
        if left != said:
            log.info("Detour is being deleted, on the way out: %s", left)
            said = left
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_EVERY)
    return True


def _take_back(cluster: Cluster, removal: Removal, anchor: Anchor) -> None:
    if removal.is_unanswered():
        for waiting in farewell.leave(cluster.client):
            metadata = waiting["metadata"]
            log.info("an update of %s/%s waits, and stays there", metadata["namespace"], metadata["name"])
    anchor.cut()
    log.info("nothing is left")


def _left(cluster: Cluster) -> Iterator[str]:
    for watch in (*cluster.routes, cluster.services, cluster.diverted):
        for found in watch.all():
            namespace = found["metadata"]["namespace"]
            yield from (f"{namespace}/{owner}" for owner in owners_of(found) if namespace in cluster.scope)
    for namespace, name in cluster.holdings.holders:
        yield f"{namespace}/{name}"
