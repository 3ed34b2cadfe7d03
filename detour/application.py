"""One application as the API server has it now: the Deployment, its Canary, and what runs beside it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import click

from analyzer.kube.client import Client
from analyzer.kube.errors import ApiError, NotFound
from analyzer.kube.resources import CANARIES, DEPLOYMENTS, HTTP_ROUTES, INGRESSES, NAMESPACES, Resource
from analyzer.ownership import is_ours, mark
from analyzer.policy import policy_of, rank
from analyzer.routing.mark import Mark
from analyzer.spec import target_of
from analyzer.status import Status
from analyzer.stored import from_object
from detour.person import Place, Problem
from webhook import stash

Object = dict[str, Any]

_KINDS = {"": False, "deploy": False, "deployment": False, "deployments": False, "canary": True, "canaries": True}
FORBIDDEN, NOT_FOUND = 403, 404


@dataclass(frozen=True, slots=True)
class Name:
    """What a person calls it: by its Deployment or, `of_canary`, by its Canary."""

    text: str
    of_canary: bool = False


class NameType(click.ParamType[Name]):
    """podinfo, deploy/podinfo, deployment/podinfo or canary/podinfo."""

    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Name:
        """The name that was typed."""
        if isinstance(value, Name):
            return value
        kind, _, plain = str(value).rpartition("/")
        kind = kind.lower().partition(".")[0]
        if kind not in _KINDS or not plain:
            self.fail(f"{value!r} names no Deployment; write it like podinfo, deploy/podinfo or canary/podinfo", param)
        return Name(plain, _KINDS[kind])


NAME = NameType()


@dataclass(frozen=True, slots=True)
class Application:
    """The objects as they are; None what is not there. `routes` is None where the person may not read them.

    `policy` is the one that a label puts it under, where there is no Canary yet: it comes with the first update.
    """

    namespace: str
    name: str
    primary: Object | None = None
    canary: Object | None = None
    canary_deployment: Object | None = None
    routes: tuple[Object, ...] | None = ()
    policy: str | None = None

    @property
    def status(self) -> Status:
        """What the analyzer has stored; nothing without a Canary."""
        return from_object(self.canary) if self.canary else Status()

    @property
    def waiting(self) -> stash.Stash | None:
        """What is diverted. Raises StashError."""
        return stash.diverted(self.primary) if self.primary else None

    def managed(self) -> tuple[Object, Object]:
        """The Deployment and its Canary. Raises Problem naming which of the two there is not."""
        if self.primary is None:
            raise Problem(
                f"no Deployment {self.name} in namespace {self.namespace}; "
                f"kubectl -n {self.namespace} get deployments shows those that there are"
            )
        if self.canary is None and self.policy:
            raise Problem(f"no update of {self.name} was diverted yet since policy {self.policy} applies to it")
        if self.canary is None:
            raise Problem(
                f"Deployment {self.name} is not managed: no Canary in namespace {self.namespace} has it as its target, "
                f"and neither it nor the namespace has the label {stash.POLICY}: write a Canary, or set the label"
            )
        return self.primary, self.canary


def find(place: Place, name: Name) -> Application:
    """The Deployment and the Canary of this name, without what runs beside them. Raises Problem where neither is."""
    canary = _canary(place, name)
    target = target_of(canary) if canary and name.of_canary else name.text
    primary = _deployment(place, target)
    policy = _policy(place, primary) if primary and canary is None else None
    found = Application(place.namespace, target, primary, canary, policy=policy)
    if found.primary is None and canary is None:
        found.managed()
    return found


def again(place: Place, known: Application) -> Application:
    """The same, as it is now; a Canary that is no longer there may have been made anew under another name."""
    canary = known.canary
    if canary is not None:
        try:
            canary = place.client.get(CANARIES, known.namespace, canary["metadata"]["name"])
        except NotFound:
            canary = None
    if canary is None or target_of(canary) != known.name:
        canary = _canary(place, Name(known.name))
    return Application(known.namespace, known.name, _deployment(place, known.name), canary)


def whole(place: Place, found: Application) -> Application:
    """With what runs beside it."""
    selector = ",".join(f"{key}={value}" for key, value in mark({"metadata": {"name": found.name}}).items())
    beside = _listed(place.client, DEPLOYMENTS, found.namespace, labelSelector=selector) or []
    return _joined(found, beside, _routes(place.client, found.namespace, selector))


def every(client: Client, namespace: str | None) -> list[Application]:
    """All applications that have a Canary, of a namespace or (None) of the cluster."""
    canaries = client.list(CANARIES, namespace).get("items") or []
    deployments = client.list(DEPLOYMENTS, namespace).get("items") or []
    routes = _routes(client, namespace, stash.CANARY_OF)
    there = {(each["metadata"]["namespace"], each["metadata"]["name"]): each for each in deployments}
    found = []
    for canary in sorted(canaries, key=rank):
        where, target = canary["metadata"]["namespace"], target_of(canary)
        application = Application(where, target, there.get((where, target)), canary)
        found.append(_joined(application, deployments, routes))
    return sorted(found, key=lambda each: (each.namespace, each.name))


def _joined(found: Application, deployments: Iterable[Object], routes: Iterable[Object] | None) -> Application:
    primary = {"metadata": {"name": found.name}}

    def ours(things: Iterable[Object]) -> tuple[Object, ...]:
        there = (each for each in things if each["metadata"]["namespace"] == found.namespace)
        return tuple(each for each in there if is_ours(each, primary) or found.name in Mark.on(each).canaries)

    beside = next(iter(ours(deployments)), None)
    theirs = None if routes is None else ours(routes)
    return replace(found, canary_deployment=beside, routes=theirs)


def _routes(client: Client, namespace: str | None, selector: str) -> list[Object] | None:
    """Ours by their label, and the users' own HTTPRoutes by the mark: labels are not ours to put there.

    Who may list one kind sees that: Kubernetes' own role `view` knows nothing of HTTPRoutes.
    """
    ingresses = _listed(client, INGRESSES, namespace, labelSelector=selector)
    http_routes = _listed(client, HTTP_ROUTES, namespace)
    if ingresses is None and http_routes is None:
        return None
    return [{"kind": INGRESSES.kind} | each for each in ingresses or ()] + [
        {"kind": HTTP_ROUTES.kind} | each for each in http_routes or ()
    ]


def _deployment(place: Place, name: str) -> Object | None:
    try:
        return place.client.get(DEPLOYMENTS, place.namespace, name)
    except NotFound:
        return None


def _policy(place: Place, deployment: Object) -> str | None:
    """By its own label or its Namespace's; a person who may not read the Namespace is told what the first one says."""
    try:
        namespace = place.client.get(NAMESPACES, None, place.namespace)
    except ApiError as error:
        if error.status not in (FORBIDDEN, NOT_FOUND):
            raise
        namespace = None
    return policy_of(deployment, namespace)


def _canary(place: Place, name: Name) -> Object | None:
    """By its own name, or the one with this target that counts."""
    if name.of_canary:
        return place.client.get(CANARIES, place.namespace, name.text)
    listed = place.client.list(CANARIES, place.namespace).get("items") or []
    return next((each for each in sorted(listed, key=rank) if target_of(each) == name.text), None)


def _listed(client: Client, resource: Resource, namespace: str | None, **query: str) -> list[Object] | None:
    """None where the person may not list them: the rest is worth showing."""
    try:
        return list(client.list(resource, namespace, **query).get("items") or [])
    except ApiError as error:
        if error.status == NOT_FOUND:
            return []  # a cluster that does not know the kind has none
        if error.status != FORBIDDEN:
            raise
        return None
