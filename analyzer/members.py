"""The pods of a replica-ratio canary in the cluster: who is in the Services of the primary, and who is to be.

No watch follows pods, so they are asked for at each look while such a canary is in flight.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from analyzer.agenda import Key
from analyzer.cluster import Cluster
from analyzer.discovery import Surroundings
from analyzer.joining import Membership, size_for
from analyzer.kube.resources import PODS
from analyzer.pods import selector
from analyzer.seen import UNCLEAR, Seen

Object = Mapping[str, Any]

JOINS = "detour.dev/joins"
"""On the canary's Deployment: its pods may be in the Services of the primary, whatever the Canary says by now."""


class Members:
    """Reads and changes the labels of pods that are the canary's own, and of no others."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def are(self, key: Key) -> bool:
        """Whether this canary gets its traffic by its pods."""
        found = self._cluster.parts(self._cluster.diverted, key)
        return any(JOINS in (each["metadata"].get("annotations") or {}) for each in found)

    def seen(self, key: Key, seen: Seen, surroundings: Surroundings, weight: int) -> Seen:
        """What their number says of the weight: it is there as soon as every pod is in that can be."""
        membership, pods = self._found(key, surroundings)
        if membership is None or seen.primary is None:
            return seen
        settled = not membership.changes(pods, size_for(seen.primary.replicas, weight))
        within = membership.members(pods)
        shown = weight if settled and weight else UNCLEAR if within else None
        return replace(seen, weight=shown, routed=seen.routed and settled)

    def bring(self, key: Key, surroundings: Surroundings, replicas: int, weight: int) -> None:
        """Have as many in as `weight` percent beside so many replicas are. Raises the errors of kube.errors."""
        membership, pods = self._found(key, surroundings)
        if membership is None:
            return
        for pod, labels in membership.changes(pods, size_for(replicas, weight)):
            metadata = pod["metadata"]
            body = {"metadata": {"resourceVersion": metadata["resourceVersion"], "labels": labels}}
            self._cluster.client.merge(PODS, metadata["namespace"], metadata["name"], body)

    def _found(self, key: Key, surroundings: Surroundings) -> tuple[Membership | None, list[Object]]:
        for deployment in self._cluster.parts(self._cluster.diverted, key):
            labels = deployment["spec"]["template"]["metadata"].get("labels") or {}
            listed = self._cluster.client.list(PODS, key[0], labelSelector=selector(deployment))
            return Membership(surroundings.services, labels), list(listed.get("items") or ())
        return None, []
