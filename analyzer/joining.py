"""Replica-ratio canaries, for applications without routes: the canary's pods join the Services of the primary.

As many of them as their share of all pods asks for get the labels that the Services select, and lose them again; so a
pod serves users only once its canary has passed what comes before the first weight, and is out of the Services before
it is deleted. New pods come without: whatever happens to the analyzer, nobody joins by accident. Their ReplicaSet
selects them by our own label, so that nothing is made anew.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from analyzer.labels import Rewriting
from analyzer.strategy import ALL

Object = Mapping[str, Any]
Labels = Mapping[str, str]
Patch = dict[str, str | None]

MOST = 90  # percent: the primary is never scaled down, so that nine canary pods for each of its own are the most


def size_for(primary_replicas: int, weight: int) -> int:
    """How many pods of the canary, beside so many of the primary, are nearest to `weight` percent; one at least."""
    return max(1, round(primary_replicas * weight / (ALL - weight)))


def share_of(primary_replicas: int, joined: int) -> int:
    """What percentage of all pods so many are."""
    return round(ALL * joined / (primary_replicas + joined)) if joined else 0


def joined(pods: Sequence[Object], template: Labels, rewriting: Rewriting) -> list[Object]:
    """The pods that the Services of the primary select."""
    wanted = _joining(template, rewriting)
    return [pod for pod in pods if wanted.items() <= _labels(pod).items()]


def changes(pods: Sequence[Object], template: Labels, rewriting: Rewriting, count: int) -> list[tuple[Object, Patch]]:
    """Whose labels have to change, and how, for `count` ready pods to be in the Services of the primary.

    Those that are in stay in; one that is not ready is none, and neither is one that ends.
    """
    within = joined(pods, template, rewriting)
    able = [pod for pod in pods if is_ready(pod)]
    staying = sorted((pod for pod in able if pod in within), key=_name)[:count]
    coming = sorted((pod for pod in able if pod not in within), key=_name)[: count - len(staying)]
    going = [pod for pod in within if pod not in staying]
    back: Patch = {**rewriting.values, **dict.fromkeys(rewriting.removed)}
    return [(pod, back) for pod in going] + [(pod, dict(_joining(template, rewriting))) for pod in coming]


def is_ready(pod: Object) -> bool:
    """Whether it may serve users."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    ready = any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]


def _joining(template: Labels, rewriting: Rewriting) -> Labels:
    """The template's own values of the labels that were rewritten."""
    return {key: value for key, value in template.items() if key in rewriting.values or key in rewriting.removed}


def _labels(pod: Object) -> Labels:
    found: Labels = pod["metadata"].get("labels") or {}
    return found


def _name(pod: Object) -> str:
    return str(pod["metadata"]["name"])
