"""What the analyzer follows of the cluster: a dozen watches, none of them per application.

Of the Deployments in general only the metadata is followed; whole objects only while something is diverted
(label `detour.dev/revision`), the canaries' own Deployments included, which carry that label, too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from analyzer import policy
from analyzer.agenda import Key
from analyzer.flagger import Flagger
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
from analyzer.owners import owner_of, owners_of
from analyzer.pauses import pause
from analyzer.scope import Scope
from analyzer.spec import target_of
from analyzer.touches import Touches
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
        told, touch, admits = Touches(scope.only(touch), touch, home), scope.only(touch), scope.__contains__
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
