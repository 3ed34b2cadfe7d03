"""What an installation of Detour consists of, and what a rollout that is in flight has put into the cluster."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from analyzer.anchor import ANCHORS, FINALIZER, NAME
from analyzer.holdings import LABEL, holders
from analyzer.kube.client import Client
from analyzer.kube.errors import NotFound
from analyzer.kube.lease import SECONDS
from analyzer.kube.resources import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    CONFIG_MAPS,
    DEFINITIONS,
    DEPLOYMENTS,
    HTTP_ROUTES,
    INGRESSES,
    LEASES,
    NAMESPACES,
    SECRETS,
    SERVICE_ACCOUNTS,
    SERVICES,
    WEBHOOK_CONFIGURATIONS,
    Resource,
)
from analyzer.removal import DEPLOYMENT
from analyzer.routing.mark import is_marked
from webhook import stash

Object = dict[str, Any]
Found = tuple[Resource, Object]

MADE_BY = "app.kubernetes.io/name=detour"  # manifests/kustomization.yaml puts it on everything
ITS_OWN = "leaders.detour.dev"
ADMISSION = tuple(
    Resource("admissionregistration.k8s.io", "v1", plural, kind, namespaced=False)
    for kind, plural in (
        ("ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings"),
        ("MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings"),
        ("ValidatingAdmissionPolicy", "validatingadmissionpolicies"),
        ("MutatingAdmissionPolicy", "mutatingadmissionpolicies"),
    )
)
PRIORITIES = Resource("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", namespaced=False)
ROUTES, PARTS, HELD = (INGRESSES, HTTP_ROUTES), (SERVICES, DEPLOYMENTS), (CONFIG_MAPS, SECRETS, SERVICE_ACCOUNTS)


@dataclass(frozen=True, slots=True)
class Installation:
    """The objects in the cluster, asked for each time."""

    client: Client
    home: str

    def made(self, *resources: Resource) -> list[Found]:
        """Of these kinds, what belongs to canaries."""
        return [found for resource in resources for found in self._labelled(resource, stash.CANARY_OF)]

    def split(self) -> list[Found]:
        """The users' routes in which canaries may be."""
        return [(HTTP_ROUTES, found) for found in self._listed(HTTP_ROUTES) if is_marked(found)]

    def held(self) -> list[Found]:
        """What is kept from vanishing for a Deployment."""
        marked = (found for resource in HELD for found in self._labelled(resource, LABEL))
        return [(resource, found) for resource, found in marked if holders(found)]

    def parts(self, *resources: Resource) -> list[Found]:
        """Of these kinds, what Detour itself consists of."""
        return [found for resource in resources for found in self._labelled(resource, MADE_BY)]

    def admission(self) -> list[Found]:
        """What the API server asks, or judges by: the webhooks first, the bindings before their policies."""
        return self.parts(WEBHOOK_CONFIGURATIONS, *ADMISSION)

    def rights(self) -> list[Found]:
        """The roles and bindings of the whole cluster, and the pods' priority, where it is one of Detour's own."""
        return self.parts(CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, PRIORITIES)

    def definitions(self, *, users: bool) -> list[Found]:
        """Of what users write, some of which may be Flagger's, too; or of what Detour keeps for itself."""
        return [found for found in self.parts(DEFINITIONS) if (found[1]["metadata"]["name"] != ITS_OWN) is users]

    def namespace(self) -> Object | None:
        """Detour's own."""
        return self._there(NAMESPACES, self.home)

    def deployment(self) -> Object | None:
        """Detour's own."""
        return self._there(DEPLOYMENTS, DEPLOYMENT)

    def renewed(self) -> str:
        """Says something else each time the analyzer has shown that it is alive; "" without any sign of one."""
        return str(self._lease().get("renewTime", ""))

    def lease_lasts(self) -> float:
        """Seconds within which a living analyzer has renewed its lease, several times as a rule."""
        return float(self._lease().get("leaseDurationSeconds", SECONDS))

    def let_go(self) -> None:
        """Take the analyzer's own finalizer off the objects that it acts by: nobody needs them any more."""
        for resource in ANCHORS:
            found = self._there(resource, NAME)
            if found and FINALIZER in (found["metadata"].get("finalizers") or ()):
                with suppress(NotFound):
                    self.client.mark(resource, self.home, NAME, {"$deleteFromPrimitiveList/finalizers": [FINALIZER]})

    def delete(self, *things: Found) -> None:
        """Delete these very objects; what is gone already is fine."""
        for resource, found in things:
            metadata = found["metadata"]
            self.client.delete(resource, metadata.get("namespace"), metadata["name"], metadata["uid"])

    def _lease(self) -> Object:
        spec: Object = (self._there(LEASES, NAME) or {}).get("spec") or {}
        return spec

    def _labelled(self, resource: Resource, selector: str) -> Iterator[Found]:
        yield from ((resource, found) for found in self._listed(resource, labelSelector=selector))

    def _listed(self, resource: Resource, **query: str) -> Iterator[Object]:
        try:
            yield from self.client.list(resource, **query).get("items") or ()
        except NotFound:  # a cluster that does not know the kind has none
            return

    def _there(self, resource: Resource, name: str) -> Object | None:
        try:
            return self.client.get(resource, self.home, name)
        except NotFound:
            return None


def home_of(client: Client, otherwise: str) -> str:
    """The Namespace that Detour lives in: its analyzer's, by the binding of its rights."""
    try:
        binding = client.get(CLUSTER_ROLE_BINDINGS, None, NAME)
    except NotFound:
        return otherwise
    return next((str(each["namespace"]) for each in binding.get("subjects") or () if each.get("namespace")), otherwise)


def names(things: list[Found]) -> str:
    """As a person would name them."""
    return ", ".join(
        "/".join(filter(None, (found["metadata"].get("namespace"), resource.kind, found["metadata"]["name"])))
        for resource, found in things
    )
