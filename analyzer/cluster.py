"""What the analyzer follows of the cluster: a dozen watches, none of them per application.

Of the Deployments in general only the metadata is followed; whole objects only while something is diverted
(label `detour.dev/revision`), the canaries' own Deployments included, which carry that label, too.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from analyzer import policy
from analyzer.agenda import Key
from analyzer.coexistence import is_flagger
from analyzer.flagger import FLAGGER, Flagger
from analyzer.holdings import Holdings
from analyzer.kube.client import Client
from analyzer.kube.errors import NotFound
from analyzer.kube.optional import OptionalWatch
from analyzer.kube.resources import (
    CANARIES,
    CANARY_POLICIES,
    DEPLOYMENTS,
    HTTP_ROUTES,
    INGRESSES,
    METRIC_TEMPLATES,
    NAMESPACES,
    SERVICES,
)
from analyzer.kube.watch import Watch
from analyzer.memory import unpacked
from analyzer.pauses import pause
from analyzer.routing.mark import Mark
from analyzer.scope import Scope
from analyzer.spec import target_of
from webhook import stash

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cluster:
    """The API server, and what we know of it without asking."""

    client: Client
    canaries: Watch
    targets: Watch
    diverted: Watch
    services: Watch
    ingresses: Watch
    http_routes: OptionalWatch
    templates: Watch
    namespaces: Watch
    policies: Watch
    holdings: Holdings
    flagger: Flagger
    home: str
    scope: Scope

    @classmethod
    def follow(cls, client: Client, touch: Callable[[Key], None], home: str, scope: Scope | None = None) -> "Cluster":
        """Build the watches; `touch` is told which application a change concerns. They run after `start`.

        `home` is the Namespace that Detour itself lives in. Outside `scope` there is nothing to be done; but whose
        Ingress has a host, and which templates are shared, is known of all, as are
        the Deployments: Flagger may be anywhere.
        """
        scope = scope or Scope()
        told, touch, admits = _Touches(scope.only(touch), touch, home), scope.only(touch), scope.__contains__
        cluster = cls(
            client=client,
            canaries=Watch(client, CANARIES, told.canary, admits=admits),
            targets=Watch(client, DEPLOYMENTS, told.target, metadata_only=True),
            diverted=Watch(client, DEPLOYMENTS, told.diverted, selector=stash.REVISION, admits=scope.admits_diverted),
            services=Watch(client, SERVICES, told.part),
            ingresses=Watch(client, INGRESSES, told.part),
            http_routes=OptionalWatch(client, HTTP_ROUTES, told.part),
            templates=Watch(client, METRIC_TEMPLATES, told.template),
            namespaces=Watch(client, NAMESPACES, told.namespace, metadata_only=True),
            policies=Watch(client, CANARY_POLICIES, told.policy),
            holdings=Holdings(client, touch, admits),
            flagger=Flagger(client, told.everyone),
            home=home,
            scope=scope,
        )
        told.cluster = cluster
        return cluster

    @property
    def watches(self) -> tuple[Watch | OptionalWatch, ...]:
        """All of them; the Canaries come last, so that what they need is known when they are looked at."""
        followed = (self.namespaces, self.policies, self.targets, self.diverted, self.services, *self.routes)
        return *followed, *self.holdings.watches, self.templates, self.canaries

    @property
    def routes(self) -> tuple[Watch | OptionalWatch, ...]:
        """Those of all kinds of routes."""
        return self.ingresses, self.http_routes

    @property
    def synced(self) -> bool:
        """Whether every watch has its first list: before that nothing may be decided."""
        return all(watch.synced for watch in self.watches)

    def has_parts(self, key: Key) -> bool:
        """Whether anything is there that was made for the canary of `key`."""
        return any(self.parts(watch, key) for watch in (*self.routes, self.services, self.diverted))

    def concerned(self) -> set[Key]:
        """Every application that has a Canary, or of which something is diverted."""
        diverted = {(found["metadata"]["namespace"], owner_of(found)) for found in self.diverted.all()}
        return diverted | {(found["metadata"]["namespace"], target_of(found)) for found in self.canaries.all()}

    def canary_for(self, key: Key) -> Object | None:
        """The Canary whose target this is; the oldest, if there are several."""
        return next(iter(self.canaries_for(key)), None)

    def canaries_for(self, key: Key) -> list[Object]:
        """The Canaries with this target that are Detour's, in the order of `policy.rank`: only the first one counts."""
        return [canary for canary in self.canaries_on(key) if self.flagger.leaves(canary)]

    def left_to_flagger(self, key: Key) -> Object | None:
        """The Canary with this target that Flagger acts on, if there is one."""
        return next((canary for canary in self.canaries_on(key) if not self.flagger.leaves(canary)), None)

    def canaries_on(self, key: Key) -> list[Object]:
        """All Canaries with this target, in the same order, Flagger's included."""
        namespace, target = key
        found = (canary for canary in self.canaries.in_namespace(namespace) if target_of(canary) == target)
        return sorted(found, key=policy.rank)

    def policy_for(self, key: Key) -> str | None:
        """The name of the policy that a Deployment falls under by label; None without one."""
        target = self.targets.get(*key)
        return policy.policy_of(target, self.namespaces.get("", key[0])) if target else None

    def is_managed(self, key: Key) -> bool:
        """Whether updates of a Deployment are sent to the webhook."""
        target = self.targets.get(*key)
        return target is not None and policy.is_managed(target, self.namespaces.get("", key[0]))

    def held(self, key: Key) -> str:
        """Why nothing new may begin in the Namespace of an application; "" if it may."""
        return pause(self.namespaces.get("", key[0]), self.namespaces.get("", self.home))

    def primary(self, key: Key, *, needed: bool) -> Object | None:
        """The whole primary Deployment while something is diverted; when it is not, it is asked for if `needed`."""
        followed = self.diverted.get(*key)
        if followed is not None or not needed:
            return followed
        try:
            return self.client.get(DEPLOYMENTS, *key)
        except NotFound:
            return None

    def parts(self, watch: Watch | OptionalWatch, key: Key) -> tuple[Object, ...]:
        """Those objects of a watch that belong to the canary of `key`, or in which it may be."""
        namespace, target = key
        return tuple(found for found in watch.in_namespace(namespace) if target in owners_of(found))


class _Touches:
    """Tells which applications a change concerns. `cluster` is there before the first change is."""

    cluster: Cluster

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
        if owners and _owner(found):
            return
        for canary in self.cluster.canaries.in_namespace(metadata["namespace"]):
            if unpacked(canary.get("status") or {}).get("revision") or "service" in canary["spec"]:
                self.canary(canary)

    def diverted(self, found: Object) -> None:
        metadata = found["metadata"]
        owner = _owner(found)
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


def _owner(found: Object) -> str | None:
    """The primary's name, if `found` belongs to a canary: from the owner, since a label's value may be shortened.

    One without an owner (restored from a backup, or left by `kubectl delete --cascade=orphan`) is told by the label, or
    it would go on serving for ever. A shortened value is nobody's name, and what bears it goes as if nobody's.
    """
    label = (found["metadata"].get("labels") or {}).get(stash.CANARY_OF)
    if label is None:
        return None
    owners = found["metadata"].get("ownerReferences") or ()
    return next((str(owner["name"]) for owner in owners if owner["kind"] == DEPLOYMENTS.kind), str(label))


def owner_of(found: Object) -> str:
    """The name of the application that a Deployment, Service or Ingress belongs to, be it the primary itself."""
    return _owner(found) or str(found["metadata"]["name"])


def owners_of(found: Object) -> set[str]:
    """The names of the primaries whose canary an object belongs to; of a user's route, in which it may be."""
    owner = _owner(found)
    return set(Mark.on(found).canaries) if owner is None else {owner}
