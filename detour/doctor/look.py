"""Looks at a cluster, once, and writes nothing: what may not be read is noted, and the rest is seen all the same."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, TypeVar

from analyzer.coexistence import is_flagger, scope
from analyzer.flagger import may_act
from analyzer.kube.client import Client
from analyzer.kube.errors import ApiError, NotFound, Unreachable
from analyzer.kube.lease import NAME
from analyzer.kube.resources import (
    CANARIES,
    CANARY_POLICIES,
    DEFINITIONS,
    DEPLOYMENTS,
    GATEWAY_CLASSES,
    INGRESS_CLASSES,
    LEASES,
    NAMESPACES,
    NETWORK_POLICIES,
    WEBHOOK_CONFIGURATIONS,
    Resource,
)
from analyzer.labels import matches
from detour.doctor import probe, rights
from detour.doctor.snapshot import Object, Objects, Snapshot, called
from detour.installation import home_of
from detour.trust import look as look_at_certificates

Answer = TypeVar("Answer")

DAEMON_SETS = Resource("apps", "v1", "daemonsets", "DaemonSet")
STATEFUL_SETS = Resource("apps", "v1", "statefulsets", "StatefulSet")
BY_OBJECT = "divert-object.detour.dev"
USUAL = "default"  # there is one in every cluster, and it stays
QUOTAS = Resource("", "v1", "resourcequotas", "ResourceQuota")
GROUPS = (
    "admissionregistration.k8s.io/v1",
    "apiextensions.k8s.io/v1",
    "apps/v1",
    "coordination.k8s.io/v1",
    "networking.k8s.io/v1",
    "detour.dev/v1alpha1",
    "flagger.app/v1beta1",
)


class Look:
    """One look. `unread` fills as it goes."""

    def __init__(self, client: Client, home: str) -> None:
        self._client = client
        self._home = home
        self.unread: dict[str, str] = {}

    def snapshot(self) -> Snapshot:
        """Raises Unreachable, and ApiError where not even the version may be read."""
        client, home = self._client, self._home
        version = str(client.read("/version")["gitVersion"])
        workloads = tuple(
            each for kind in (DEPLOYMENTS, DAEMON_SETS, STATEFUL_SETS) for each in self._list(kind, "workloads")
        )
        seen = Snapshot(
            version=version,
            kinds=frozenset(self._kinds()),
            home=home,
            now=client.now(),
            namespaces=self._list(NAMESPACES),
            workloads=workloads,
            classes=self._list(INGRESS_CLASSES),
            gateway_classes=self._list(GATEWAY_CLASSES),
            hooks=self._list(WEBHOOK_CONFIGURATIONS),
            definitions=self._list(DEFINITIONS),
            canaries=self._list(CANARIES),
            policies=self._list(CANARY_POLICIES),
            quotas=self._list(QUOTAS),
            network_policies=self._list(NETWORK_POLICIES, namespace=home),
            lease=self._try("leases", lambda: client.get(LEASES, home, NAME), None),
            lacking=self._try("your rights", lambda: rights.callers(client), ()),
            impostors=self._impostors(workloads),
            unread=self.unread,
        )
        return self._installed(seen) if seen.installed else seen

    def _installed(self, seen: Snapshot) -> Snapshot:
        """What an installation can be asked for, besides."""
        client, home = self._client, self._home
        address = seen.argument("analyzer", "--metrics-server")
        return replace(
            seen,
            analyzer_lacks=self._try("analyzer's rights", lambda: rights.analyzers(client, home), ()),
            refused=self._try("certificates", lambda: _refused(client), {}),
            trial=probe.divert(client, _somewhere(seen)),
            prometheus=probe.prometheus(client, address, home) if address else None,
        )

    def _impostors(self, workloads: Objects) -> frozenset[str]:
        labelled = [each for each in workloads if each["kind"] == DEPLOYMENTS.kind and is_flagger(each)]
        return frozenset(called(each) for each in labelled if not self._may_act(each))

    def _may_act(self, deployment: Object) -> bool:
        where = scope(deployment)
        return where is None or self._try("Flagger's rights", lambda: may_act(self._client, deployment, where), True)

    def _kinds(self) -> Iterable[str]:
        for group in GROUPS:
            yield from (f"{group} {each['name']}" for each in self._served(group).get("resources") or ())

    def _served(self, group: str) -> Object:
        nothing: dict[str, Any] = {}
        return self._try(group, lambda: self._client.read(f"/apis/{group}"), nothing)

    def _list(self, resource: Resource, what: str = "", namespace: str | None = None) -> Objects:
        """Items of a list carry no kind of their own."""
        nothing: dict[str, Any] = {}
        listed = self._try(what or resource.plural, lambda: self._client.list(resource, namespace), nothing)
        return tuple({"kind": resource.kind} | item for item in listed.get("items") or ())

    def _try(self, what: str, ask: Callable[[], Answer], otherwise: Answer) -> Answer:
        """What is not there is as good as empty; what may not be read is noted."""
        try:
            return ask()
        except NotFound:
            return otherwise
        except ApiError as error:
            self.unread[what] = error.message
        return otherwise


def look(client: Client, home: str = "detour") -> Snapshot:
    """Everything that the checks need. Raises Unreachable, ApiError."""
    try:
        home = home_of(client, home)
    except Unreachable:
        raise
    except ApiError:
        pass
    return Look(client, home).snapshot()


def _refused(client: Client) -> dict[str, str]:
    return {each.pod: each.refused for each in look_at_certificates(client).replicas}


def _somewhere(seen: Snapshot) -> str:
    """A namespace where the webhook is called for what is labelled: an operator may have left out most of them."""
    hooks = (seen.hook or {}).get("webhooks") or ()
    selector = next((each.get("namespaceSelector") or {} for each in hooks if each["name"] == BY_OBJECT), {})
    there = [each["metadata"] for each in seen.namespaces if "deletionTimestamp" not in each["metadata"]]
    names = [str(each["name"]) for each in there if matches(selector, each.get("labels") or {})]
    return min(names, key=lambda name: (name != USUAL, name), default=USUAL)
