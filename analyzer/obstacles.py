"""Why no canary fits into what is found around a primary, each with its remedy."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from analyzer.labels import selects
from analyzer.ownership import is_ours
from analyzer.wanted import HTTP, INGRESS, Wanted

Object = Mapping[str, Any]


def nothing_selects(
    primary: Object, services: Sequence[Object], selecting: Sequence[Object], named: str | None
) -> str | None:
    """Why no Service leads to the primary; None where one does."""
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


def nothing_routes(there: Mapping[str, Sequence[Object]], selecting: Sequence[Object], wanted: Wanted) -> str | None:
    """Why no route leads to its Services, of which `there` has all, by their kinds."""
    names = " or ".join(map(_name, selecting))
    for kind, field in ((INGRESS, "ingressRef"), (HTTP, "routeRef")):
        named = wanted.named(kind)
        if named is not None and wanted.takes(kind):
            if named not in map(_name, there[kind]):
                return f"{kind} {named} does not exist: create it, or correct spec.{field}.name"
            return f"{kind} {named} has no backend that is Service {names}: give it one, or correct spec.{field}.name"
    kinds = [kind for kind, routes in there.items() if wanted.takes(kind) and (routes or kind == INGRESS)]
    return f"no {' or '.join(kinds or [HTTP])} sends requests to Service {names}: create one with it as a backend"


def shared(primary: Object, services: Sequence[Object], deployments: Sequence[Object]) -> str | None:
    """Two Deployments behind one Service: a weight would be the Service's, not the primary's."""
    for service in services:
        for other in deployments:
            if _name(other) != _name(primary) and not is_ours(other, primary) and selects(service, other):
                return (
                    f"Service {_name(service)} selects the pods of Deployment {_name(other)}, too: a weight would not "
                    f"be {_name(primary)}'s alone; give each a Service of its own, or name another in spec.service.name"
                )
    return None


def foreign(primary: Object, kind: str, wanted: set[str], existing: Iterable[Object]) -> str | None:
    """An object of somebody else where one of ours would have to be."""
    for thing in existing:
        if _name(thing) in wanted and not is_ours(thing, primary):
            return (
                f"{kind} {_name(thing)} is not Detour's, which needs that name for the canary: rename it or delete it"
            )
    return None


def _name(thing: Object) -> str:
    return str(thing["metadata"]["name"])
