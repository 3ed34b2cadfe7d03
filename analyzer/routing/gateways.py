"""Which Gateways take an HTTPRoute, and what they say that they can do."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Object = Mapping[str, Any]

GATEWAY = "Gateway"
ACCEPTED = "Accepted"


def accepted(route: Object) -> bool:
    """Whether any of the Gateways that a route names has taken it."""
    return any(_is_taken(parent) for parent in _parents(route))


def refused_by(route: Object) -> str | None:
    """Why no Gateway takes a route; None where one does."""
    if accepted(route):
        return None
    said = [
        f"{condition.get('reason', '')} {condition.get('message', '')}".strip()
        for parent in _parents(route)
        for condition in parent.get("conditions") or ()
        if condition.get("type") == ACCEPTED
    ]
    why = f" ({said[0]})" if said and said[0] else ""
    return f"is accepted by no Gateway{why}: correct its parentRefs, or the Gateway's listeners"


def lacking(route: Object, features: Iterable[str], gateways: Iterable[Object], classes: Iterable[Object]) -> str:
    """Which of the features a Gateway that takes the route does not say to support, and whose class that is.

    "" where all of them support all. What is not known to be supported is not asked for. A feature is named as in
    GatewayClass.status.supportedFeatures (Gateway API, conformance features).
    """
    wanted, gateways = list(features), tuple(gateways)
    known = {each["metadata"]["name"]: set(supported(each)) for each in classes}
    for parent in _parents(route) if wanted else ():
        if _is_taken(parent):
            name = _class_of(parent["parentRef"], route, gateways)
            missing = [feature for feature in wanted if feature not in known.get(name, ())]
            if missing:
                whose = f"GatewayClass {name}" if name else f"its parent {parent['parentRef']['name']}"
                return f"{whose} does not support {missing[0]} (status.supportedFeatures)"
    return ""


def controllers(route: Object, gateways: Iterable[Object], classes: Iterable[Object]) -> set[str]:
    """Who serves a route: spec.controllerName of its Gateways' classes, "" for one that is not known."""
    gateways = tuple(gateways)
    named = {each["metadata"]["name"]: str(each["spec"].get("controllerName", "")) for each in classes}
    taken = (parent["parentRef"] for parent in _parents(route) if _is_taken(parent))
    return {named.get(_class_of(ref, route, gateways), "") for ref in taken}


def _class_of(ref: Object, route: Object, gateways: Iterable[Object]) -> str:
    where = ref.get("namespace") or route["metadata"]["namespace"], ref["name"]
    for gateway in gateways if (ref.get("kind") or GATEWAY) == GATEWAY else ():
        if (gateway["metadata"]["namespace"], gateway["metadata"]["name"]) == where:
            return str(gateway["spec"]["gatewayClassName"])
    return ""


def supported(gateway_class: Object) -> Iterator[str]:
    """What a GatewayClass says to support; names by themselves before Gateway API 1.2, objects with a name since."""
    for each in (gateway_class.get("status") or {}).get("supportedFeatures") or ():
        yield str(each.get("name", "")) if isinstance(each, Mapping) else str(each)


def _parents(route: Object) -> Iterable[Object]:
    return (route.get("status") or {}).get("parents") or ()


def _is_taken(parent: Object) -> bool:
    conditions = parent.get("conditions") or ()
    return any(each.get("type") == ACCEPTED and each.get("status") == "True" for each in conditions)
