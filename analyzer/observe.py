"""One look at the world: what the watches hold, turned into the plain values that `plan` decides on."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from analyzer import apex, canary_scaler, pauses, scalers, workload
from analyzer import canary as parts
from analyzer.agenda import Key
from analyzer.cluster import Cluster
from analyzer.compare import find, holds
from analyzer.discovery import Surroundings, discover
from analyzer.members import Members
from analyzer.routes import Routes
from analyzer.routing import Router
from analyzer.seen import UNCLEAR, Canary, Primary, Seen
from analyzer.spec import Spec
from analyzer.status import LONGEST_GRACE, Status
from analyzer.strategy import Strategy
from analyzer.view import Neighbours, View
from analyzer.wanted import Wanted
from analyzer.wishes import wish_of
from webhook import revision, stash

Object = dict[str, Any]

COPIES_NOTHING = (
    "spec.analysis.mirror copies the requests of a route, and none leads to the primary: create one, or take it out"
)
DEFAULT_GRACE = 30  # seconds (core/v1, PodSpec.terminationGracePeriodSeconds)


def look(cluster: Cluster, key: Key, spec: Spec, status: Status, router: Router, neighbours: Neighbours | None) -> View:
    """What there is to know about one application now. Asks the API server only for what no watch follows."""
    namespace, name = key
    target = cluster.targets.get(*key)
    canary = cluster.canary_for(key)
    occasion = (status.revision, status.phase, status.check_time)
    seen = Seen(
        name=name,
        namespace=namespace,
        wish=wish_of(canary) if canary else None,
        held=cluster.held(key),
        direct=pauses.opening(cluster.namespaces.get("", namespace), cluster.namespaces.get("", cluster.home)),
        deaf=cluster.client.others_deaf,
    )
    if target is None:
        missing = f"Deployment {name} does not exist: create it, or correct spec.targetRef.name"
        seen = _leftovers(cluster, key, replace(seen, obstacle=missing), router, spec.canary_ready)
        return View(seen, key, canary, None, None, None, occasion, spec.strategy)
    service = apex.name(canary) if canary else None
    served = service is None or cluster.services.get(namespace, service) is not None
    seen = replace(seen, target=True, served=served, labelled=cluster.is_managed(key))
    primary = cluster.primary(key, needed=status.phase.in_flight)
    seen = _leftovers(cluster, key, seen, router, spec.canary_ready)
    if primary is None:
        return View(seen, key, canary, None, None, None, occasion, spec.strategy)
    waiting, problem = _stash(primary)
    if waiting and not status.phase.in_flight:
        occasion = (waiting.digest, status.phase, status.check_time)
    scaled = neighbours is not None and scalers.is_scaled(primary, neighbours.autoscalers)
    seen = replace(seen, primary=_primary(primary, waiting, spec.primary_ready, scaled), obstacle=problem)
    surroundings = None
    if neighbours is not None:
        surroundings = _surroundings(cluster, key, spec, primary, neighbours)
        split = surroundings.routed and not router.unserved(surroundings)
        named = spec.strategy.needs_routes and (spec.service or spec.ingress or spec.http_route)
        found = bool(split or named)
        seen = _routed(cluster, key, seen, primary, surroundings, router, spec.strategy, status)
        if (members := Members(cluster)).are(key):
            seen = members.seen(key, seen, surroundings, status.weight)
        seen = replace(seen, unrouted=not found)
        if seen.canary and _is_mistaken(cluster, key, primary, surroundings):
            seen = replace(seen, canary=replace(seen.canary, digest=""))  # it is to be made anew
        if spec.autoscaler:
            seen = canary_scaler.looked_at(cluster.client, seen, spec.autoscaler, neighbours.scaler, primary)
    scaler = neighbours.scaler if neighbours else None
    return View(seen, key, canary, primary, waiting, surroundings, occasion, spec.strategy, scaler)


def _stash(primary: Object) -> tuple[stash.Stash | None, str]:
    try:
        return stash.diverted(primary), ""
    except stash.StashError as error:
        return None, f"annotation {stash.TEMPLATE}: {error}; remove the label {stash.REVISION} and apply again"


def _primary(found: Object, waiting: stash.Stash | None, threshold: int, autoscaled: bool) -> Primary:
    metadata, readiness = found["metadata"], workload.settled(found, threshold)
    before = stash.previous(found)
    author = stash.diverted_by(found)
    subject = {
        "images": list(workload.images(waiting.template)) if waiting else [],
        "by": author.user if author else "",
        "manager": author.manager if author else "",
    }
    return Primary(
        digest=revision.digest(found["spec"]["template"]),
        stash=waiting.digest if waiting else None,
        previous=before.digest if before else None,
        replicas=workload.wanted_replicas(found),
        ready=readiness.ready,
        progress=readiness.progress,
        stuck=readiness.deadline_exceeded,
        down_since=_down_since(found),
        paused=bool(found["spec"].get("paused")),
        deleting="deletionTimestamp" in metadata,
        state=stash.state(found) or None,
        subject=subject,
        restarted=revision.restarted_at(waiting.template) if waiting else "",
        at_once=stash.at_once(found, waiting.digest) if waiting else "",
        available=workload.available(found),
        autoscaled=autoscaled,
    )


def _down_since(found: Object) -> datetime | None:
    """Since when a Deployment has had no available replica, by its condition Available."""
    if workload.available(found) or workload.wanted_replicas(found) == 0:
        return None
    for condition in (found.get("status") or {}).get("conditions") or ():
        if condition.get("type") == "Available" and condition.get("status") == "False":
            return datetime.fromisoformat(condition["lastTransitionTime"])
    return None


def _leftovers(cluster: Cluster, key: Key, seen: Seen, router: Router, threshold: int) -> Seen:
    routes = Routes(cluster).of(key)
    services = cluster.parts(cluster.services, key)
    deployments = cluster.parts(cluster.diverted, key)
    weight = router.weight_of(routes, key[1])
    return replace(
        seen,
        canary=_canary(deployments, threshold),
        weight=None if not routes else UNCLEAR if weight is None else weight,
        leftovers=bool(services or deployments),
    )


def _canary(deployments: Sequence[Object], threshold: int) -> Canary | None:
    for found in deployments:
        if "deletionTimestamp" not in found["metadata"]:
            readiness = workload.settled(found, threshold)
            annotations = found["metadata"].get("annotations") or {}
            digest = annotations.get(parts.DIGEST, "")
            size, available = workload.wanted_replicas(found), workload.available(found)
            pods = found["spec"]["template"]["spec"]
            grace = min(float(pods.get("terminationGracePeriodSeconds", DEFAULT_GRACE)), LONGEST_GRACE)
            stamp = revision.restarted_at(found["spec"]["template"])
            return Canary(digest, size, readiness.ready, available, readiness.progress, grace, stamp)
    return None


def _surroundings(cluster: Cluster, key: Key, spec: Spec, primary: Object, neighbours: Neighbours) -> Surroundings:
    found = discover(
        primary,
        cluster.services.in_namespace(key[0]),
        cluster.ingresses.in_namespace(key[0]),
        http_routes=cluster.http_routes.in_namespace(key[0]),
        wanted=Wanted(spec.service, spec.ingress, spec.http_route, spec.provider),
        needs_routes=spec.strategy.needs_routes,
        deployments=neighbours.deployments,
        protected=neighbours.protected,
    )
    classes, gateways, gateway_classes = neighbours.classes, neighbours.gateways, neighbours.gateway_classes
    found = replace(found, metadata=spec.service_metadata)
    return replace(found, classes=classes, gateways=gateways, gateway_classes=gateway_classes)


def _routed(
    cluster: Cluster,
    key: Key,
    seen: Seen,
    primary: Object,
    surroundings: Surroundings,
    router: Router,
    strategy: Strategy,
    status: Status,
) -> Seen:
    """Compare the routes that are there with those that should be, for the weight that the status says."""
    services = cluster.parts(cluster.services, key)
    problem = surroundings.problem or _unsplittable(cluster, primary, surroundings, router, strategy)
    if problem:
        return replace(seen, obstacle=seen.obstacle or problem, unroutable=True)
    served = all(
        holds(find(services, each), each) for each in parts.canary_services(primary, surroundings, status.revision)
    )
    wanted = router.objects(primary, surroundings, strategy.traffic(status.position))
    return replace(seen, routed=served and Routes(cluster).are(key, wanted))


def _unsplittable(
    cluster: Cluster, primary: Object, surroundings: Surroundings, router: Router, strategy: Strategy
) -> str | None:
    """Why the router cannot do what the strategy asks for. One that needs no routes asks nothing of unserved ones."""
    if not strategy.needs_routes and (not surroundings.routed or router.unserved(surroundings)):
        return COPIES_NOTHING if strategy.mirror else None
    return router.problem(primary, surroundings, cluster.ingresses.all()) or router.unable(
        strategy, surroundings, primary
    )


def _is_mistaken(cluster: Cluster, key: Key, primary: Object, surroundings: Surroundings) -> bool:
    canaries = cluster.parts(cluster.diverted, key)
    return any(parts.is_mistaken(canary, primary, surroundings) for canary in canaries)
