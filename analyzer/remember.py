"""Stores the status of Canaries, whatever their definition lets through."""

from typing import Any

from analyzer import memory
from analyzer.cluster import Cluster
from analyzer.kube.resources import CANARIES


def remember(cluster: Cluster, canary: dict[str, Any]) -> None:
    """Store the status of a Canary, in one piece where its definition would drop parts of it.

    Raises the errors of `analyzer.kube.errors`.
    """
    metadata, status = canary["metadata"], canary["status"]
    stored = cluster.canaries.get(metadata["namespace"], metadata["name"]) or {}
    sent = memory.like(stored, status)
    answer = cluster.client.replace_status(CANARIES, {**canary, "status": sent})
    if memory.was_dropped(sent, answer.get("status") or {}):
        answer = cluster.client.replace_status(CANARIES, {**answer, "status": memory.packed(status)})
    cluster.canaries.learn(answer)
