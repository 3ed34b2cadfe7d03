"""Replica-ratio canaries, for applications without routes: the canary's pods join the Services of the primary.

As many of them as their share of all pods asks for get the labels that the Services select, and lose them again; so a
pod serves users only once its canary has passed what comes before the first weight, and is out of the Services before
it is deleted. New pods come without: whatever happens to the analyzer, nobody joins by accident. Their ReplicaSet
selects them by our own label, so that none is made anew for it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analyzer.labels import matches, service_selector
from analyzer.strategy import ALL

Object = Mapping[str, Any]
Labels = Mapping[str, str]
Change = tuple[Object, dict[str, str | None]]
"""A pod, and the labels that it gets; None is for one that it loses."""

MOST = 90  # percent: the primary is never scaled down, so that nine canary pods for each of its own are the most


def size_for(primary_replicas: int, weight: int) -> int:
    """How many pods of the canary, beside so many of the primary, are nearest to `weight` percent; one at least."""
    return max(1, round(primary_replicas * weight / (ALL - weight))) if weight else 0


@dataclass(frozen=True, slots=True)
class Membership:
    """The Services whose selectors pods are to satisfy, and the labels that the canary's pods come with."""

    services: tuple[Object, ...]
    labels: Labels

    def members(self, pods: Iterable[Object]) -> list[Object]:
        """Those that any of the Services selects."""
        selectors = [service_selector(service) for service in self.services]
        return [pod for pod in pods if any(matches(selector, _labels(pod)) for selector in selectors)]

    def changes(self, pods: Sequence[Object], count: int) -> list[Change]:
        """What makes `count` ready pods members of all the Services, and all others of none.

        Those that are in stay in; one that is not ready is none, and neither is one that ends.
        """
        joining: dict[str, str | None] = {}
        for service in self.services:
            joining |= service["spec"]["selector"]
        leaving = {key: self.labels.get(key) for key in joining}
        able = sorted(filter(is_ready, pods), key=_name)
        within = [pod for pod in able if joining.items() <= _labels(pod).items()]
        chosen = (within + [pod for pod in able if pod not in within])[:count]
        going = [(pod, leaving) for pod in self.members(pods) if pod not in chosen]
        return going + [(pod, joining) for pod in chosen if pod not in within]


def is_ready(pod: Object) -> bool:
    """Whether it may serve users."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    ready = any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]


def _labels(pod: Object) -> Labels:
    found: Labels = pod["metadata"].get("labels") or {}
    return found


def _name(pod: Object) -> str:
    return str(pod["metadata"]["name"])
