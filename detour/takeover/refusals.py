"""Why a Canary cannot be taken over now; each reason with its remedy. Pure."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from analyzer import workload
from analyzer.fields import SpecError
from analyzer.kube.resources import CANARIES
from analyzer.metrics import validate
from analyzer.spec import parse
from detour.takeover.found import CANARY, PRIMARY, Found, selects
from detour.takeover.template import is_live
from webhook import stash

Object = dict[str, Any]

# Flagger's (pkg/apis/flagger/v1beta1/status.go). Waiting is none of them: nothing of the new version runs yet.
IN_FLIGHT = ("Initializing", "Progressing", "WaitingPromotion", "Promoting", "Finalising", "Terminating", "Terminated")


def refusals(found: Found, *, beside: bool = False, newer_configuration: bool = False) -> list[str]:
    """Every reason; none if it can be taken over. `beside`: Flagger may run, and is told to leave this Canary alone.

    `newer_configuration`: what ConfigMaps and Secrets say now may go live.
    """
    reasons = [reason for rule in RULES for reason in rule(found)]
    if found.controllers and not beside:
        reasons.append(_flagger_runs(found))
    if not newer_configuration:
        reasons += _newer_configuration(found)
    return reasons


def _flagger_runs(found: Found) -> str:
    where = " and ".join(found.controllers)
    return f"Flagger runs ({where}): scale it to 0, which takes no traffic from anybody, or use --beside-flagger"


def _unusable(found: Found) -> Iterator[str]:
    """Detour would leave it unguarded afterwards."""
    spec = {key: value for key, value in found.canary["spec"].items() if key != "autoscalerRef"}
    try:
        validate(parse({**found.canary, "spec": spec}).metrics, found.namespace)
    except SpecError as error:
        yield f"Detour cannot carry it out: {error}"


def _missing(found: Found) -> Iterator[str]:
    if "deletionTimestamp" in found.canary["metadata"]:
        yield "the Canary is being deleted"
    if found.target is None:
        yield f"Deployment {found.name} does not exist: correct spec.targetRef.name"
    elif found.primary is None:
        for service in filter(partial(_is_orphaned, found.target), found.users_services):
            name = service["metadata"]["name"]
            yield f"Service {name} selects pods of {found.name}{PRIMARY}, which is gone: let Flagger make it again"


def _is_orphaned(target: Object, service: Object) -> bool:
    own, selector = target["spec"]["selector"].get("matchLabels") or {}, service["spec"].get("selector") or {}
    return any(selector.get(key) == f"{value}{PRIMARY}" for key, value in own.items())


def _in_flight(found: Found) -> Iterator[str]:
    """An analysis that is not over. Once the take-over has begun, what runs is ours."""
    if found.mark is not None:
        return
    status = found.canary.get("status") or {}
    told_by_flagger = not any(each["type"] == "Guarded" for each in status.get("conditions") or ())
    phase = status.get("phase") or IN_FLIGHT[0]
    if told_by_flagger and phase in IN_FLIGHT:
        yield f"Flagger is in the middle of something (phase {phase}): let it come to its end first"
    if share := _share(found.canary_ingress):
        yield f"the canary has traffic ({share}): let Flagger bring its analysis to an end first"


def _unknown_routes(found: Found) -> Iterator[str]:
    """By its flag `-mesh-provider` Flagger may route in a way that the Canary does not tell, and to the copy."""
    told = found.canary["spec"].get("provider") or found.canary_ingress or found.mark
    if found.primary is not None and not told:
        yield (
            "it states no spec.provider, and has no Ingress of Flagger's: where Flagger's -mesh-provider is nginx or "
            "kubernetes, set spec.provider: nginx; routes of other providers would lose their Service"
        )


def _share(ingress: Object | None) -> str:
    notes = (ingress["metadata"].get("annotations") or {}) if ingress else {}
    for key, value in notes.items():
        if key.endswith("/canary-weight") and value != "0":
            return f"weight {value}"
        if key.endswith(("/canary-by-header", "/canary-by-cookie")):
            return f"{key.rpartition('/')[2]} {value}"
    return ""


def _called_by_others(found: Found) -> Iterator[str]:
    """Services of Flagger's that go, and that somebody has written into a route."""
    going = {f"{found.apex}{CANARY}", f"{found.apex}{PRIMARY}"}
    for ingress in found.ingresses:
        if ingress == found.canary_ingress:
            continue
        for name in sorted(going & set(_backends(ingress))):
            called = ingress["metadata"]["name"]
            yield f"Ingress {called} sends requests to Service {name}, which goes: let it name {found.apex}"


def _backends(ingress: Object) -> Iterator[str]:
    spec = ingress["spec"]
    paths = [path for rule in spec.get("rules") or () for path in (rule.get("http") or {}).get("paths") or ()]
    for backend in (spec.get("defaultBackend") or {}, *(path["backend"] for path in paths)):
        if service := backend.get("service"):
            yield service["name"]


def _too_small(found: Found) -> Iterator[str]:
    if found.primary is None or found.scaler is None:
        return
    spec = found.scaler["spec"]
    most = spec.get("maxReplicas") or spec.get("maxReplicaCount")
    wanted = workload.wanted_replicas(found.primary)
    if most and wanted > most:
        name = f"{found.scaler['kind']} {found.scaler['metadata']['name']}"
        yield f"{name} allows {most} replicas, and {found.name}{PRIMARY} has {wanted}: raise its maximum first"


def _diverted_meanwhile(found: Found) -> Iterator[str]:
    """What waits would be mixed into the template that is put back."""
    if found.target is None or found.primary is None or not any(selects(s, found.primary) for s in found.services):
        return
    if stash.TEMPLATE in (found.target["metadata"].get("annotations") or {}) and not is_live(found):
        yield f"an update of {found.name} waits: take it back first (kubectl rollout undo deployment/{found.name})"


def _rivals(found: Found) -> Iterator[str]:
    if found.rivals:
        yield f"{CANARIES.kind} {', '.join(found.rivals)} has this target, too: delete one of the two"


def _newer_configuration(found: Found) -> Iterator[str]:
    if found.primary is None or found.target is None:
        return
    for each in found.copies:
        name = each.copy["metadata"]["name"]
        if each.original is None:
            yield f"{each.resource.kind} {name.removesuffix(PRIMARY)} does not exist, of which {name} is what serves"
        elif not each.is_current:
            yield (
                f"{each.resource.kind} {name.removesuffix(PRIMARY)} is newer than {name}, which serves: put its data "
                "back, or let it go live with --newer-configuration"
            )


RULES: tuple[Callable[[Found], Iterator[str]], ...] = (
    _missing,
    _rivals,
    _unusable,
    _in_flight,
    _unknown_routes,
    _diverted_meanwhile,
    _called_by_others,
    _too_small,
)
