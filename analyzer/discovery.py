"""Which Services and Ingresses bring traffic to the primary: found from what is there, not stated (design §4).

The Canary's `service.name` and `ingressRef.name` narrow it down. What cannot be split is refused with a reason, and
nothing found is a reason, too: there is no silent pass.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analyzer.labels import matches, serves_pods, service_selector
from analyzer.ownership import LONGEST, canary_name, is_ours, route_name

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the canary has to fit into.

    `services` get a canary of their own: those that the Ingresses name, or, where no Ingress is found, all that select
    the primary's pods. `ingresses` are the user's. `problem` says why traffic cannot be split. `all_services` of the
    namespace must not select the canary's pods; `protected` (NetworkPolicies, PodDisruptionBudgets, …) preferably do.
    `classes` are the cluster's IngressClasses, as far as they are known.
    """

    services: tuple[Object, ...] = ()
    ingresses: tuple[Object, ...] = ()
    problem: str | None = None
    all_services: tuple[Object, ...] = ()
    protected: tuple[Object, ...] = ()
    classes: tuple[Object, ...] = ()


def discover(
    primary: Object,
    services: Iterable[Object],
    ingresses: Iterable[Object],
    *,
    service_name: str | None = None,
    ingress_name: str | None = None,
    deployments: Iterable[Object] = (),
    protected: Iterable[Object] = (),
    classes: Iterable[Object] = (),
) -> Surroundings:
    """The surroundings of a primary, from all Services, Ingresses and Deployments of its namespace."""
    services, ingresses, deployments = tuple(services), tuple(ingresses), tuple(deployments)
    selecting = tuple(
        service
        for service in services
        if selects(service, primary) and service_name in (None, _name(service)) and not is_ours(service, primary)
    )
    routing = tuple(
        ingress
        for ingress in ingresses
        if backends(ingress) & set(map(_name, selecting))
        and ingress_name in (None, _name(ingress))
        and not is_ours(ingress, primary)
        and not is_canary_ingress(ingress)
    )
    routed = tuple(service for service in selecting if any(_name(service) in backends(ingress) for ingress in routing))
    chosen = routed or selecting
    problem = (
        _nothing_selects(primary, services, selecting, service_name)
        or _shared(primary, chosen, deployments)
        or _nothing_routes(ingresses, selecting, routing, ingress_name)
        or _foreign(primary, "Deployment", {canary_name(_name(primary))}, deployments)
        or _foreign(primary, "Service", {canary_name(_name(service), LONGEST) for service in chosen}, services)
        or _foreign(primary, "Ingress", {route_name(primary, ingress) for ingress in routing}, ingresses)
    )
    return Surroundings(chosen, routing, problem, services, tuple(protected), tuple(classes))


def selects(service: Object, deployment: Object) -> bool:
    """Whether a Service selects the pods of a Deployment, judged by its pod template."""
    labels = deployment["spec"]["template"]["metadata"].get("labels") or {}
    return serves_pods(service) and matches(service_selector(service), labels)


def backends(ingress: Object) -> set[str]:
    """The names of the Services that an Ingress sends requests to, its default backend included."""
    backends = [ingress["spec"].get("defaultBackend") or {}, *(path["backend"] for _, path in paths(ingress))]
    return {backend["service"]["name"] for backend in backends if backend.get("service")}


def paths(ingress: Object) -> Iterator[tuple[str, Object]]:
    """Host ("" for any) and path of every rule of an Ingress. A rule may well have no `http`."""
    for rule in ingress["spec"].get("rules") or ():
        for path in (rule.get("http") or {}).get("paths") or ():
            yield rule.get("host", ""), path


def is_canary_ingress(ingress: Object) -> bool:
    """Whether an Ingress is an alternative of another one (`<prefix>/canary: "true"`), no route of its own."""
    annotations = ingress["metadata"].get("annotations") or {}
    return any(key.endswith("/canary") and value == "true" for key, value in annotations.items())


def _nothing_selects(
    primary: Object, services: Sequence[Object], selecting: Sequence[Object], named: str | None
) -> str | None:
    if selecting:
        return None
    if named is None:
        return (
            f"no Service selects the pods of Deployment {_name(primary)}: create one, or name its port in spec.service"
        )
    if named not in map(_name, services):
        return f"Service {named} does not exist: create it, or correct spec.service.name"
    return (
        f"Service {named} does not select the pods of Deployment {_name(primary)}: "
        "correct its selector, or spec.service.name"
    )


def _nothing_routes(
    ingresses: Sequence[Object], selecting: Sequence[Object], routing: Sequence[Object], named: str | None
) -> str | None:
    if routing:
        return None
    names = " or ".join(map(_name, selecting))
    if named is None:
        return f"no Ingress sends requests to Service {names}: create one with it as a backend"
    if named not in map(_name, ingresses):
        return f"Ingress {named} does not exist: create it, or correct spec.ingressRef.name"
    return f"Ingress {named} has no backend that is Service {names}: give it one, or correct spec.ingressRef.name"


def _shared(primary: Object, services: Sequence[Object], deployments: Sequence[Object]) -> str | None:
    """Two Deployments behind one Service: a weight would be the Service's, not the primary's."""
    for service in services:
        for other in deployments:
            if _name(other) != _name(primary) and not is_ours(other, primary) and selects(service, other):
                return (
                    f"Service {_name(service)} selects the pods of Deployment {_name(other)}, too: a weight would not "
                    f"be {_name(primary)}'s alone; give each a Service of its own, or name another in spec.service.name"
                )
    return None


def _foreign(primary: Object, kind: str, wanted: set[str], existing: Iterable[Object]) -> str | None:
    """An object of somebody else where one of ours would have to be."""
    for thing in existing:
        if _name(thing) in wanted and not is_ours(thing, primary):
            return (
                f"{kind} {_name(thing)} is not Detour's, which needs that name for the canary: rename it or delete it"
            )
    return None


def _name(thing: Object) -> str:
    return str(thing["metadata"]["name"])
