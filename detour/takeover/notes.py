"""What a person should know of a take-over: what becomes of a newer version, and which manifests to change. Pure."""

from collections.abc import Iterator

from analyzer import workload
from detour.takeover.found import CANARY, PRIMARY, Found
from detour.takeover.plan import FINALIZER, newer_template
from detour.takeover.services import ports_that_differ


def notes(found: Found) -> Iterator[str]:
    """One sentence each; the first ones are about what runs."""
    yield from _newer(found)
    if found.scaler_ref:
        yield "spec.autoscalerRef is taken out of the Canary: take it out of its manifest, too; the autoscaler stays"
        if found.scaler_ref.get("primaryScalerReplicas"):
            yield "primaryScalerReplicas goes with it: state these bounds in the autoscaler itself"
    if FINALIZER in (found.canary["metadata"].get("finalizers") or ()):
        yield "spec.revertOnDeletion means nothing any more: take it out of the Canary's manifest"
    for name in ports_that_differ(found):
        yield f"Service {name} lacks ports that its manifest states: apply it again"
    if found.primary_service or found.canary_service:
        names = f"{found.apex}{PRIMARY} and {found.apex}{CANARY}"
        yield f"Services {names} go (the latter is there again during an analysis): call {found.apex}"


def _newer(found: Found) -> Iterator[str]:
    newer = newer_template(found)
    if newer is None:
        return
    images, mark = ", ".join(workload.images(newer)), found.mark
    rejected = mark.failed if mark else (found.canary.get("status") or {}).get("phase") == "Failed"
    if rejected:
        yield f"{images} was rejected by Flagger, and stays so: kubectl detour retry {found.name} runs it once more"
    else:
        yield f"{images} was never analysed: at the end it is diverted, and runs as a canary"
