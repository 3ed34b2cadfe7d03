"""Weights, matches, copies and cookies by HTTPRoutes of Gateway API v1: in the user's own route, and in one beside it.

What can only be said where the requests are shared out is put into the user's rules: the canary's weight beside the
primary's, a filter that copies requests, a header by which answers set a cookie. What goes by headers is said in a
route of our own, with more specific matches. Without a share the user's rules are as he wrote them.

A filter that a controller does not know is worse than none: it answers every request of the rule with an error. So what
is not of the core is asked for only where the GatewayClass says that it is supported (status.supportedFeatures).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from analyzer.discovery import Surroundings
from analyzer.kube.resources import HTTP_ROUTES
from analyzer.ownership import LONGEST, canary_name, metadata, route_name
from analyzer.routing.cookies import Cookies, baked, carrying, cookies_of, sets_cookies
from analyzer.routing.gateways import accepted, lacking, refused_by
from analyzer.routing.mark import SPLIT, Mark
from analyzer.routing.matching import clash, picked, too_many
from analyzer.routing.rules import HEAVIEST, Canaries, Rule, alone, refers, shared, weights
from analyzer.strategy import Strategy
from analyzer.traffic import Match, Traffic
from webhook.stash import CANARY_OF, REVISION

Object = Mapping[str, Any]

ALL = 100
MIRRORS, SHARES = "HTTPRouteRequestMirror", "HTTPRouteRequestPercentageMirror"
ANSWERS = "HTTPRouteResponseHeaderModification"


@dataclass(frozen=True, slots=True)
class Gateway:
    """The router for HTTPRoutes."""

    kind = HTTP_ROUTES.kind

    def problem(self, primary: Object, surroundings: Surroundings, _ingresses: Iterable[Object]) -> str | None:
        """Why the requests of these routes could not be split."""
        if problem := self.unserved(surroundings):
            return problem
        canaries = _canaries(primary, surroundings)
        for route in self._served(surroundings).http_routes:
            if why := _unsplittable(alone(_rules(route), canaries), canaries):
                return f"HTTPRoute {route['metadata']['name']} {why}"
        return None

    def unserved(self, surroundings: Surroundings) -> str | None:
        """Why no Gateway takes any of these routes; None where one does, or where there are none."""
        reasons = {route["metadata"]["name"]: refused_by(route) for route in surroundings.http_routes}
        if not reasons or None in reasons.values():
            return None
        name, reason = min(reasons.items())
        return f"HTTPRoute {name} {reason}"

    def unable(self, strategy: Strategy, surroundings: Surroundings, primary: Object) -> str | None:
        """What a strategy asks for, and these routes or their Gateways cannot do."""
        canaries = _canaries(primary, surroundings)
        for route in self._served(surroundings).http_routes:
            if why := _missing(strategy, route, surroundings) or _impossible(strategy, route, canaries):
                return f"HTTPRoute {route['metadata']['name']} {why}"
        return None

    def objects(self, primary: Object, surroundings: Surroundings, traffic: Traffic) -> tuple[dict[str, Any], ...]:
        """The user's routes with a share for the canary, marked; and those of our own, for what goes by headers."""
        canaries, found = _canaries(primary, surroundings), []
        revision = (primary["metadata"].get("labels") or {}).get(REVISION, "")
        cookies = cookies_of(traffic.affinity, traffic.weight, revision)
        for route in self._served(surroundings).http_routes:
            rules = alone(_rules(route), canaries)
            if not any(refers(rule, canaries) for rule in rules):
                continue
            found.append(_marked(primary, route, canaries, rules, traffic, cookies))
            if own := _own_rules(rules, canaries, traffic.matches, cookies):
                found.append(_own(primary, route, own))
        return tuple(found)

    def weight_of(self, objects: Iterable[Object], primary: str) -> int | None:
        """The percentage that live routes send to the canary of `primary`; None if they disagree or there are none.

        Whatever goes to it by headers alone counts as everything, as in the status of an A/B test.
        """
        routes = list(objects)
        found: set[int | None] = set()
        for route in routes:
            if names := Mark.on(route).of(primary):
                found |= weights(_rules(route), Canaries(route["metadata"]["namespace"], names))
        by_headers = any(CANARY_OF in (route["metadata"].get("labels") or {}) for route in routes)
        if found == {0} and by_headers:
            return ALL
        return found.pop() if len(found) == 1 else None

    @staticmethod
    def _served(surroundings: Surroundings) -> Surroundings:
        return replace(surroundings, http_routes=tuple(route for route in surroundings.http_routes if accepted(route)))


def _canaries(primary: Object, surroundings: Surroundings) -> Canaries:
    names = (service["metadata"]["name"] for service in surroundings.services)
    return Canaries(primary["metadata"]["namespace"], {name: canary_name(name, LONGEST) for name in names})


def _marked(
    primary: Object, route: Object, canaries: Canaries, rules: list[Rule], traffic: Traffic, cookies: Cookies
) -> dict[str, Any]:
    """The user's route as it should be: of its fields only those that we write."""
    if traffic.weight or traffic.mirror:
        rules = shared(rules, canaries, traffic.weight, traffic.mirror, cookies)
    mark = Mark.on(route).put(primary["metadata"]["name"], canaries.names)
    about = {key: route["metadata"][key] for key in ("name", "namespace")}
    return {
        "apiVersion": HTTP_ROUTES.api_version,
        "kind": HTTP_ROUTES.kind,
        "metadata": {**about, "annotations": {SPLIT: mark.text}},
        "spec": {"rules": rules},
    }


def _own(primary: Object, route: Object, rules: list[Rule]) -> dict[str, Any]:
    spec = {key: route["spec"][key] for key in ("parentRefs", "hostnames") if key in route["spec"]}
    return {
        "apiVersion": HTTP_ROUTES.api_version,
        "kind": HTTP_ROUTES.kind,
        "metadata": metadata(primary, route_name(primary, route)),
        "spec": {**spec, "rules": rules},
    }


def _own_rules(rules: list[Rule], canaries: Canaries, matches: tuple[Match, ...], cookies: Cookies) -> list[Rule]:
    """Each reference sets the cookie that it sets in the user's route: to Traefik a filter is the Service's."""

    def to_canary(ref: Object) -> Rule:
        canary = canaries.of(ref)
        return {**baked(ref, cookies.canary, cookies.terms), "name": canary} if canary else dict(ref)

    def to_primary(ref: Object) -> Rule:
        return baked(ref, cookies.primary, cookies.terms) if canaries.of(ref) else dict(ref)

    found = picked(rules, canaries, matches, to_canary) if matches else []
    if cookies.canary:
        found += picked(rules, canaries, (Match((carrying(cookies.canary),)),), to_canary)
    if cookies.primary:
        found += picked(rules, canaries, (Match((carrying(cookies.primary),)),), to_primary)
    return found


def _missing(strategy: Strategy, route: Object, surroundings: Surroundings) -> str:
    copies = [MIRRORS, *([SHARES] if strategy.mirror < ALL else [])] if strategy.mirror else []
    answers = [ANSWERS] if strategy.affinity else []
    for field, features in (("mirror", copies), ("sessionAffinity", answers)):
        if why := lacking(route, features, surroundings.gateways, surroundings.gateway_classes):
            return f"cannot do what spec.analysis.{field} asks for: {why}; take it out, or use another class"
    return ""


def _impossible(strategy: Strategy, route: Object, canaries: Canaries) -> str:
    rules = alone(_rules(route), canaries)
    cookies = cookies_of(strategy.affinity, ALL, "0123456789")
    matches = strategy.matches + ((Match((carrying(cookies.canary),)),) if cookies.canary else ())
    if name := clash(rules, canaries, matches):
        return f"matches header {name} already, by which requests would have to go to the canary: use another header"
    if cookies.canary and any(sets_cookies(ref) for ref in _primarys(rules, canaries)):
        return "adds a Set-Cookie header itself, and can add one only: let the application set that cookie"
    if too_many(_own_rules(rules, canaries, strategy.matches, cookies)):
        return "would have more than 16 rules or 64 matches in one: use fewer, or split the route"
    return ""


def _primarys(rules: Iterable[Object], canaries: Canaries) -> Iterator[Object]:
    for rule in rules:
        yield from (ref for ref in rule.get("backendRefs") or () if canaries.of(ref))


def _unsplittable(rules: list[Rule], canaries: Canaries) -> str:
    if not any(ref.get("weight", 1) for ref in _primarys(rules, canaries)):
        return "gives the primary's Service a weight of 0: there is nothing to split"
    heaviest = max(ref["weight"] for rule in shared(rules, canaries, ALL) for ref in rule.get("backendRefs") or ())
    if heaviest > HEAVIEST:
        return f"has weights above {HEAVIEST // ALL}, of which no percentage could be stated: divide them all"
    return ""


def _rules(route: Object) -> list[Rule]:
    return route["spec"].get("rules") or []
