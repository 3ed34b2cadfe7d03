"""Why what is in flight is not ready: its pods are asked, but only once it has stopped getting any further.

No watch follows pods: there are many of them, and they matter to nobody as long as all goes well.
"""

import logging
from dataclasses import replace
from datetime import datetime
from typing import Any

from analyzer import workload
from analyzer.cluster import Cluster
from analyzer.kube.errors import ApiError, Unreachable
from analyzer.kube.resources import PODS
from analyzer.pods import Ailment, ailment, selector
from analyzer.seen import Seen
from analyzer.status import Phase, Status
from analyzer.view import View

Object = dict[str, Any]

ENOUGH = "500"  # pods: one that is ill is among the first, or few are

log = logging.getLogger(__name__)


def examined(cluster: Cluster, view: View, status: Status, now: datetime) -> Seen:
    """What was seen, with the reason why the canary, or the primary that is being promoted, is not ready."""
    seen = view.seen
    if status.ending or not status.phase.in_flight:
        return seen
    if status.phase is Phase.PROMOTING:
        if view.primary and seen.primary and not seen.primary.ready and seen.primary.digest == status.revision:
            found = _examine(cluster, view.primary, now)
            return replace(seen, primary=replace(seen.primary, reason=found.text))
    elif seen.canary and not seen.canary.ready:
        canaries = cluster.parts(cluster.diverted, view.key)
        for deployment in (each for each in canaries if "deletionTimestamp" not in each["metadata"]):
            found = _examine(cluster, deployment, now)
            return replace(seen, canary=replace(seen.canary, reason=found.text, crashed=found.crashed))
    return seen


def _examine(cluster: Cluster, deployment: Object, now: datetime) -> Ailment:
    """What the API server refuses comes before what its pods say; not to know is no fault."""
    nothing = Ailment(workload.settled(deployment).refused)
    if nothing.text or not workload.stalled(deployment, now):
        return nothing
    try:
        query = {"labelSelector": selector(deployment), "limit": ENOUGH}
        listed = cluster.client.list(PODS, deployment["metadata"]["namespace"], **query)
    except (ApiError, Unreachable) as error:
        log.warning("why %s is not ready is not known: %s", deployment["metadata"]["name"], error)
        return nothing
    return ailment(listed.get("items") or (), now) or nothing
