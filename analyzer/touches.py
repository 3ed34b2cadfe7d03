"""Tells which applications a change of what is followed concerns."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from analyzer.agenda import Key
from analyzer.coexistence import is_flagger
from analyzer.flagger import FLAGGER
from analyzer.memory import unpacked
from analyzer.owners import owners_of, primary_of
from analyzer.spec import target_of
from webhook import stash

if TYPE_CHECKING:
    from analyzer.cluster import Cluster

Object = dict[str, Any]


class Touches:
    """`cluster` is there before the first change is."""

    cluster: "Cluster"

    def __init__(self, touch: Callable[[Key], None], anywhere: Callable[[Key], None], home: str) -> None:
        self._touch, self._anywhere, self._home = touch, anywhere, home

    def target(self, found: Object) -> None:
        metadata = found["metadata"]
        key = metadata["namespace"], metadata["name"]
        label = (metadata.get("labels") or {}).get(stash.POLICY)
        concerned = label == stash.POLICY_CANARY or stash.let_past(found)
        if is_flagger(found):
            self._anywhere(FLAGGER)
        if concerned or self.cluster.canary_for(key) or self.cluster.holdings.of(key):
            self._touch(key)

    def part(self, found: Object) -> None:
        metadata = found["metadata"]
        owners = owners_of(found)
        for owner in owners:
            self._touch((metadata["namespace"], owner))
        if owners and primary_of(found):
            return
        for canary in self.cluster.canaries.in_namespace(metadata["namespace"]):
            if unpacked(canary.get("status") or {}).get("revision") or "service" in canary["spec"]:
                self.canary(canary)

    def diverted(self, found: Object) -> None:
        metadata = found["metadata"]
        owner = primary_of(found)
        key = metadata["namespace"], owner or metadata["name"]
        if owner is None:
            self.cluster.holdings.note(key, found if self.cluster.diverted.get(*key) else None)
        self._touch(key)

    def canary(self, found: Object) -> None:
        self._touch((found["metadata"]["namespace"], target_of(found)))

    def template(self, found: Object) -> None:
        """It may be what somebody waits for."""
        metadata = found["metadata"]
        for canary in self.cluster.canaries.all():
            if (metadata["namespace"], metadata["name"]) in _templates_of(canary):
                self.canary(canary)

    def namespace(self, found: Object) -> None:
        name, cluster = found["metadata"]["name"], self.cluster
        if name == self._home:  # what stands on it is about the whole cluster
            self.everyone()
        else:
            self._all(cluster.diverted.in_namespace(name), cluster.canaries.in_namespace(name))
            cluster.holdings.touch_all(name)

    def policy(self, _: Object) -> None:
        self.everyone()

    def everyone(self) -> None:
        """What has changed may concern any application."""
        self._all(self.cluster.diverted.all(), self.cluster.canaries.all())

    def _all(self, diverted: Iterable[Object], canaries: Iterable[Object]) -> None:
        for each in diverted:
            self.diverted(each)
        for each in canaries:
            self.canary(each)


def _templates_of(canary: Object) -> set[tuple[str, str]]:
    """Namespace and name of every MetricTemplate that a Canary names, be the rest of it valid or not."""
    metrics = (canary["spec"].get("analysis") or {}).get("metrics") or ()
    references = (metric.get("templateRef") or {} for metric in metrics)
    here = canary["metadata"]["namespace"]
    return {(each.get("namespace") or here, each.get("name", "")) for each in references}
