"""Which Services, Ingresses and HTTPRoutes bring traffic to the primary: found from what is there, not stated
(design §4).

The Canary's `service.name`, `ingressRef.name` and `routeRef.name` narrow it down. What cannot be split is refused with
a reason, and nothing found is a reason, too: there is no silent pass.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from analyzer import obstacles
from analyzer.labels import selects
from analyzer.ownership import LONGEST, canary_name, is_ours, route_name
from analyzer.wanted import ANYTHING, HTTP, INGRESS, Wanted

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the canary has to fit into.

    `services` get a canary of their own: those that the routes name, or, where no route is found, all that select the
    primary's pods. `ingresses` and `http_routes` are the user's. `problem` says why traffic cannot be split.
    `all_services` of the namespace must not select the canary's pods; `protected` (NetworkPolicies,
    PodDisruptionBudgets, …) preferably do. `classes`, `gateways` and `gateway_classes` are the cluster's, as far as
    they are known. `metadata` are labels and annotations that the Canary wants on the canary's Services.
    """

    services: tuple[Object, ...] = ()
    ingresses: tuple[Object, ...] = ()
    problem: str | None = None
    all_services: tuple[Object, ...] = ()
    protected: tuple[Object, ...] = ()
    classes: tuple[Object, ...] = ()
    http_routes: tuple[Object, ...] = ()
    gateways: tuple[Object, ...] = ()
    gateway_classes: tuple[Object, ...] = ()
    metadata: Object = field(default_factory=dict)

    @property
    def routed(self) -> bool:
        """Whether any route leads to the primary."""
        return bool(self.ingresses or self.http_routes)

    def of(self, kind: str) -> tuple[Object, ...]:
        """The user's routes of a kind, Ingress or HTTPRoute."""
        return self.ingresses if kind == INGRESS else self.http_routes


def discover(
    primary: Object,
    services: Iterable[Object],
    ingresses: Iterable[Object],
    *,
    http_routes: Iterable[Object] = (),
    wanted: Wanted = ANYTHING,
    needs_routes: bool = True,
    deployments: Iterable[Object] = (),
    protected: Iterable[Object] = (),
) -> Surroundings:
    """The surroundings of a primary, from all Services, routes and Deployments of its namespace.

    Not to find a route is no problem where the analysis does without (`needs_routes`).
    """
    services, deployments = tuple(services), tuple(deployments)
    there = {INGRESS: tuple(ingresses), HTTP: tuple(http_routes)}
    selecting = tuple(
        service
        for service in services
        if selects(service, primary) and wanted.service in (None, _name(service)) and not is_ours(service, primary)
    )
    names = set(map(_name, selecting))
    routing = {
        kind: tuple(
            route
            for route in routes
            if wanted.takes(kind, _name(route))
            and led_to(route) & names
            and not (is_ours(route, primary) or is_canary_ingress(route))
        )
        for kind, routes in there.items()
    }
    reached = {name for routes in routing.values() for route in routes for name in led_to(route)}
    chosen = tuple(service for service in selecting if _name(service) in reached) or selecting
    problem = (
        obstacles.nothing_selects(primary, services, selecting, wanted.service)
        or obstacles.shared(primary, chosen, deployments)
        or (None if reached or not needs_routes else obstacles.nothing_routes(there, selecting, wanted))
        or obstacles.foreign(primary, "Deployment", {canary_name(_name(primary))}, deployments)
        or obstacles.foreign(primary, "Service", {canary_name(_name(service), LONGEST) for service in chosen}, services)
        or obstacles.foreign(primary, INGRESS, {route_name(primary, each) for each in routing[INGRESS]}, there[INGRESS])
        or obstacles.foreign(primary, HTTP, {route_name(primary, each) for each in routing[HTTP]}, there[HTTP])
    )
    return Surroundings(chosen, routing[INGRESS], problem, services, tuple(protected), http_routes=routing[HTTP])


def backends(ingress: Object) -> set[str]:
    """The names of the Services that an Ingress sends requests to, its default backend included."""
    backends = [ingress["spec"].get("defaultBackend") or {}, *(path["backend"] for _, path in paths(ingress))]
    return {backend["service"]["name"] for backend in backends if backend.get("service")}


def paths(ingress: Object) -> Iterator[tuple[str, Object]]:
    """Host ("" for any) and path of every rule of an Ingress. A rule may well have no `http`."""
    for rule in ingress["spec"].get("rules") or ():
        for path in (rule.get("http") or {}).get("paths") or ():
            yield rule.get("host", ""), path


def led_to(route: Object) -> set[str]:
    """The names of the Services that a route of any kind sends requests to."""
    return references(route) if "parentRefs" in route["spec"] else backends(route)


def references(route: Object) -> set[str]:
    """The names of the Services of its own namespace that an HTTPRoute sends requests to."""
    home = route["metadata"]["namespace"]
    return {
        str(ref["name"])
        for rule in route["spec"].get("rules") or ()
        for ref in rule.get("backendRefs") or ()
        if not ref.get("group") and (ref.get("kind") or "Service") == "Service"
        if (ref.get("namespace") or home) == home
    }


def is_canary_ingress(ingress: Object) -> bool:
    """Whether an Ingress is an alternative of another one (`<prefix>/canary: "true"`), no route of its own."""
    annotations = ingress["metadata"].get("annotations") or {}
    return any(key.endswith("/canary") and value == "true" for key, value in annotations.items())


def _name(thing: Object) -> str:
    return str(thing["metadata"]["name"])
