"""What is left to do until a Canary is taken over: objects in, steps out, in their order. Pure.

Nothing remembers how far it has come: a step is in the plan for as long as the cluster shows that it is missing. So it
may be interrupted anywhere, and whatever somebody else does meanwhile is seen at the next look.

Nobody's request is lost by this order: the target has all its pods before any Service sends requests there; the copy
goes only when no Service and no router knows it any more. While the target stands at 0 replicas its template may be
put back without any rollout, and Detour's webhook lets that through.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from analyzer import memory, workload
from analyzer.coexistence import TAKE, is_marked
from analyzer.kube.resources import CANARIES, DEPLOYMENTS, INGRESSES, SERVICES
from analyzer.status import Phase
from analyzer.stored import from_object
from detour.takeover.books import disowned
from detour.takeover.found import MARK, PRIMARY, SCALERS, Copy, Found, Mark, owners, selects
from detour.takeover.scalers import given_back, held
from detour.takeover.services import is_away, is_served_by_target, led_back
from detour.takeover.steps import Step, Store, Wait, delete, merge, patch
from detour.takeover.template import is_live, live
from webhook import stash
from webhook.revision import digest

Object = dict[str, Any]
Steps = Iterator[Step]

PROPAGATION = 10.0  # seconds; ingress-nginx takes up to 3.3 from one configuration to the next
SETTLED = 10.0  # seconds in which a tick of Flagger that has begun comes to its end
GUARDED = 60.0
SWITCHED = 60.0
GONE = 300.0
DEADLINE = 600.0  # seconds (apps/v1, DeploymentSpec.progressDeadlineSeconds)

FINALIZER = "finalizer.flagger.app"


def plan(found: Found, *, beside: bool = False) -> tuple[Step, ...]:
    """Everything that is missing; nothing when it is taken over. `beside`: Flagger goes on running."""
    if not found.is_initialised or found.target is None:
        return ()
    mark = _mark(found)
    steps = [*_begin(found, mark)]
    if not beside:
        steps += _guarded(found)
    steps += [*_routes(found, beside), *_target(found), *_switch(found), *_copies(found)]
    if beside:
        steps += [*_taken(found), *_guarded(found)]
    steps += [*_newer(found, mark), *_books(found), *_end(found, mark, beside)]
    return tuple(steps)


def newer_template(found: Found) -> Object | None:
    """The template that Flagger has not promoted, and that is put off; None if there is none."""
    newer = _mark(found).newer
    return dict(newer) if newer else None


def is_needed(found: Found) -> bool:
    """Whether the copy serves, so that the target has to be brought back first."""
    if found.primary is None or found.target is None:
        return False
    served = any(is_away(found, service) for service in found.users_services)
    return served or workload.wanted_replicas(found.target) < min(1, workload.wanted_replicas(found.primary))


def _mark(found: Found) -> Mark:
    """What is to be remembered by now."""
    spec, status = found.canary["spec"], found.canary.get("status") or {}
    rejected = status.get("phase") == Phase.FAILED
    mark = found.mark or Mark(bool(spec.get("suspend")), spec.get("autoscalerRef"), rejected)
    if not is_needed(found) or is_live(found):
        return mark
    assert found.target
    return replace(mark, newer=found.target["spec"]["template"], live=digest(live(found)))


def _begin(found: Found, mark: Mark) -> Steps:
    """Neither Flagger nor Detour begins anything from here on."""
    metadata = found.canary["metadata"]
    kept = {"annotations": {MARK: mark.write()}, "resourceVersion": metadata["resourceVersion"]}
    if found.mark is None:
        says = f"suspend Canary {metadata['name']} for the time being"
        yield merge(CANARIES, found.canary, says, metadata=kept, spec={"suspend": True, "autoscalerRef": None})
    elif found.mark != mark:
        yield merge(CANARIES, found.canary, f"remember the template of {found.name}, which is newer", metadata=kept)


def _guarded(found: Found) -> Steps:
    """From here on updates of the target are diverted."""
    status = from_object(found.canary)
    seen = status.observed_generation >= found.canary["metadata"].get("generation", 0)
    if not (seen and status.guarded):
        message = status.problem or "is Detour installed, and its analyzer running?"
        yield Step(f"wait until updates of {found.name} are certain to be diverted", Wait(GUARDED, message))


def _routes(found: Found, beside: bool) -> Steps:
    """What leads to the canary has no traffic at rest; Detour makes its own with every update."""
    settled = SETTLED if beside else 0.0
    if found.canary_ingress:
        yield delete(INGRESSES, found.canary_ingress, after=settled)
    if found.canary_service:
        yield delete(SERVICES, found.canary_service, after=PROPAGATION)


def _target(found: Found) -> Steps:
    """The target runs what the copy runs, as often, and is ready."""
    target = found.target
    assert target
    if is_needed(found):
        assert found.primary
        if not is_live(found):
            if workload.wanted_replicas(target):
                says = f"scale Deployment {found.name} to 0: nobody uses its pods"
                yield merge(DEPLOYMENTS, target, says, spec={"replicas": 0})
            images = ", ".join(workload.images(live(found)))
            says = f"put the template that serves ({images}) back into Deployment {found.name}"
            yield patch(DEPLOYMENTS, target, says, {"op": "replace", "path": "/spec/template", "value": live(found)})
        wanted = workload.wanted_replicas(found.primary)
        if step := held(found, wanted):
            yield step
        if workload.wanted_replicas(target) < wanted or not is_live(found):
            says = f"scale Deployment {found.name} to {wanted}, as many as {found.name}{PRIMARY} has"
            yield merge(DEPLOYMENTS, target, says, spec={"replicas": wanted})
    readiness = workload.settled(target)
    if found.primary and (is_needed(found) or not readiness.ready) and not (readiness.ready and _is_level(found)):
        yield Step(f"wait until Deployment {found.name} is ready", Wait(_patience(target), readiness.progress))


def _is_level(found: Found) -> bool:
    """Whether the target has what the copy has, pods and template."""
    assert found.target
    assert found.primary
    wanted = workload.wanted_replicas(found.target) >= workload.wanted_replicas(found.primary)
    return wanted and is_live(found)


def _patience(target: Object) -> float:
    return float(target["spec"].get("progressDeadlineSeconds") or DEADLINE)


def _switch(found: Found) -> Steps:
    """All users' requests go to the target, and no Service knows the copy any more."""
    for service in found.users_services:
        if step := led_back(found, service):
            yield step
    ours = [each for each in found.users_services if selects(each, found.primary) != selects(each, found.target)]
    behind = [service["metadata"]["name"] for service in ours if not is_served_by_target(found, service)]
    if found.primary and behind:
        yield Step(f"wait until the pods of {found.name} are behind Service {', '.join(behind)}", Wait(SWITCHED))


def _copies(found: Found) -> Steps:
    """What Flagger has made goes, when nobody uses it any more."""
    if found.primary_scaler:
        yield delete(SCALERS[found.primary_scaler["kind"]], found.primary_scaler)
    if found.primary:
        why = "when what is under way to its pods has arrived"
        yield delete(DEPLOYMENTS, found.primary, why, after=PROPAGATION)
    if found.pods or found.primary:
        left = ", ".join(sorted(found.pods))
        yield Step(f"wait until the pods of {found.name}{PRIMARY} have ended", Wait(GONE, left))
    if found.primary_service:
        yield delete(SERVICES, found.primary_service)
    for each in found.copies:
        yield _without(each, found)


def _without(each: Copy, found: Found) -> Step:
    """A copy goes, unless another Canary has it, too."""
    others = [owner for owner in owners(each.copy) if owner.get("uid") != found.canary["metadata"]["uid"]]
    if not others:
        return delete(each.resource, each.copy)
    says = f"leave {each.resource.kind} {each.copy['metadata']['name']} to {others[0]['kind']} {others[0]['name']}"
    left = {"op": "replace", "path": "/metadata/ownerReferences", "value": others}
    return patch(each.resource, each.copy, says, left)


def _taken(found: Found) -> Steps:
    """Flagger runs, and leaves alone what is suspended; by the label Detour knows that this is meant for Flagger."""
    if not is_marked(found.canary):
        says = f"mark Canary {found.canary['metadata']['name']} as Detour's"
        # Where Flagger should add its finalizer, the Canary could not be deleted without it.
        spec = {"revertOnDeletion": None, "suspend": True}
        yield merge(CANARIES, found.canary, says, metadata={"labels": {TAKE: "true"}}, spec=spec)


def _newer(found: Found, mark: Mark) -> Steps:
    """What Flagger has not promoted becomes an update like any other, unless somebody has brought another meanwhile.

    One that Flagger has rejected counts as rejected.
    """
    assert found.target
    waits = stash.TEMPLATE in (found.target["metadata"].get("annotations") or {})
    begun = found.primary is None and digest(found.target["spec"]["template"]) != mark.live
    if not mark.newer or waits or begun:
        return
    newer = dict(mark.newer)
    images = ", ".join(workload.images(newer))
    if mark.failed and digest(newer) not in from_object(found.canary).rejected:
        yield Step(f"remember that {images} was rejected", Store(CANARIES, _rejecting(found.canary, digest(newer))))
    says = f"update {found.name} to {images} again: it is diverted" + (", as rejected" if mark.failed else "")
    yield patch(DEPLOYMENTS, found.target, says, {"op": "replace", "path": "/spec/template", "value": newer})


def _rejecting(canary: Object, whole: str) -> Object:
    """The Canary with one more revision that does not run again by itself."""
    rejected = from_object(canary).remember_rejected(whole).rejected
    known = memory.unpacked(canary.get("status") or {})
    status = {key: value for key, value in known.items() if key != "trackedConfigs"} | {"rejected": list(rejected)}
    return {**canary, "status": memory.like(canary, status)}


def _books(found: Found) -> Steps:
    assert found.target
    services = [each for each in found.users_services if selects(each, found.target)]
    for resource, thing in ((DEPLOYMENTS, found.target), *((SERVICES, each) for each in services)):
        if step := disowned(resource, thing):
            yield step


def _end(found: Found, mark: Mark, beside: bool) -> Steps:
    """As its user left it, but for what was Flagger's alone."""
    if step := given_back(found):
        yield step
    metadata = found.canary["metadata"]
    kept = [each for each in metadata.get("finalizers") or () if each != FINALIZER]
    suspended = True if mark.suspended or beside else None
    body = {"annotations": {MARK: None}, "finalizers": kept, "resourceVersion": metadata["resourceVersion"]}
    says = f"Canary {metadata['name']} is Detour's" + (", and still suspended" if mark.suspended else "")
    yield merge(CANARIES, found.canary, says, metadata=body, spec={"suspend": suspended})
