"""Stores the status of Canaries, whatever their definition lets through."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from analyzer import memory
from analyzer.cluster import Cluster
from analyzer.kube.resources import CANARIES
from analyzer.stored import from_object, to_object


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


def amend(cluster: Cluster, canary: Mapping[str, Any], **changes: Any) -> None:
    """Store other values of some fields of a Canary's Status, which is no transition: the time of the last one stays.

    Raises the errors of `analyzer.kube.errors`.
    """
    stored = memory.unpacked(canary.get("status") or {})
    status = to_object(replace(from_object(canary), **changes), stored, datetime.now(UTC))
    remember(cluster, {**canary, "status": {**status, "lastTransitionTime": stored["lastTransitionTime"]}})
