"""The user's autoscaler of the target, which meets it again at 0 replicas and without traffic. Pure.

Until users' requests arrive it would see idle pods, and take most of them away. So it is held at what the copy has, and
given back a while after the last switch. A HorizontalPodAutoscaler is held by its minimum; a ScaledObject by the
annotation by which Flagger has paused it. https://keda.sh/docs/latest/concepts/scaling-deployments/
"""

from typing import Any

from analyzer import workload
from detour.takeover.found import SCALERS, Found, Object
from detour.takeover.steps import Step, merge

HELD = "detour.dev/min-replicas"  # annotation of a held HorizontalPodAutoscaler: what its minimum was
PAUSED = "autoscaling.keda.sh/paused-replicas"
HELD_FOR = 60.0  # seconds; metrics-server knows an average of the last 15 to 30, the autoscaler looks every 15


def held(found: Found, replicas: int) -> Step | None:
    """Keep it at this many at least; None where there is none, or it is held."""
    if found.scaler is None:
        return None
    says = f"keep {_name(found.scaler)} at {replicas} replicas for the time being"
    if found.scaler["kind"] == "ScaledObject":
        if _notes(found.scaler).get(PAUSED) == str(replicas):
            return None
        return _change(found.scaler, says, metadata={"annotations": {PAUSED: str(replicas)}})
    least = _least(found.scaler)
    if least >= replicas:
        return None
    kept = _notes(found.scaler).get(HELD, str(least))
    return _change(found.scaler, says, metadata={"annotations": {HELD: kept}}, spec={"minReplicas": replicas})


def given_back(found: Found) -> Step | None:
    """Let it do as its user says; None where it does."""
    scaler = found.scaler
    if scaler is None:
        return None
    notes = _notes(scaler)
    says = f"let {_name(scaler)} scale again"
    if scaler["kind"] == "ScaledObject":
        body: Object = {"metadata": {"annotations": {PAUSED: None}}}
        return _change(scaler, says, after=HELD_FOR, **body) if PAUSED in notes or found.primary else None
    kept = notes.get(HELD)
    if kept is None and found.primary and held(found, workload.wanted_replicas(found.primary)):
        kept = str(_least(scaler))  # it will be held
    if kept is None:
        return None
    body = {"metadata": {"annotations": {HELD: None}}, "spec": {"minReplicas": int(kept)}}
    return _change(scaler, f"{says}, from {kept} replicas on", after=HELD_FOR, **body)


def _least(scaler: Object) -> int:
    """autoscaling/v2, HorizontalPodAutoscalerSpec.minReplicas."""
    least = scaler["spec"].get("minReplicas")
    return 1 if least is None else int(least)


def _change(scaler: Object, says: str, after: float = 0.0, **body: Any) -> Step:
    return merge(SCALERS[scaler["kind"]], scaler, says, after=after, **body)


def _notes(scaler: Object) -> dict[str, str]:
    return scaler["metadata"].get("annotations") or {}


def _name(scaler: Object) -> str:
    return f"{scaler['kind']} {scaler['metadata']['name']}"
