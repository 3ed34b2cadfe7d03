"""Whether a Deployment's rollout is over: the rules, and the words, of `kubectl rollout status` and of Flagger."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

MOMENT = 2.0  # seconds

_PODS_NAME = re.compile(r'^pods "[^"]*" is forbidden: ')


@dataclass(frozen=True, slots=True)
class Readiness:
    """`progress` says what is waited for, "" when ready. `deadline_exceeded`: the Deployment itself has given up.

    `refused` is why the API server lets no more pods be made; it is in `progress`, too.
    """

    ready: bool
    progress: str = ""
    deadline_exceeded: bool = False
    refused: str = ""


def settled(deployment: Mapping[str, Any], ready_threshold: int = 100) -> Readiness:
    """Whether every replica runs the current template, `ready_threshold` percent of them are available, and no old one
    is left.

    The threshold is Flagger's `primaryReadyThreshold` / `canaryReadyThreshold`, rounded up, so that a percentage of one
    replica is one; none at all is never enough. A status of an older generation says nothing (apps/v1,
    `observedGeneration`).
    """
    status = deployment.get("status") or {}
    refused = _refused(status)
    if status.get("observedGeneration", 0) < deployment["metadata"].get("generation", 0):
        return _waiting("observed deployment generation less than desired generation")
    if _condition(status, "Progressing").get("reason") == "ProgressDeadlineExceeded":
        said = f'deployment "{deployment["metadata"]["name"]}" exceeded its progress deadline'
        return Readiness(False, _with(said, refused), deadline_exceeded=True, refused=refused)
    wanted, updated = wanted_replicas(deployment), status.get("updatedReplicas", 0)
    if updated < wanted:
        return _waiting(f"{updated} out of {wanted} new replicas have been updated", refused)
    if old := status.get("replicas", 0) - updated:
        return _waiting(f"{old} old replicas are pending termination")
    needed = max(min(updated, 1), math.ceil(updated * ready_threshold / 100))
    if available(deployment) < needed:
        return _waiting(
            f"{available(deployment)} of {needed} (readyThreshold {ready_threshold}%) updated replicas are available"
        )
    return Readiness(True)


def stalled(deployment: Mapping[str, Any], now: datetime) -> bool:
    """Whether a rollout has got no further for a moment (apps/v1, condition Progressing, `lastUpdateTime`)."""
    since = _condition(deployment.get("status") or {}, "Progressing").get("lastUpdateTime")
    return since is not None and (now - datetime.fromisoformat(since)).total_seconds() >= MOMENT


def available(deployment: Mapping[str, Any]) -> int:
    """How many replicas are available (ready for `minReadySeconds`)."""
    return int((deployment.get("status") or {}).get("availableReplicas", 0))


def wanted_replicas(deployment: Mapping[str, Any]) -> int:
    """How many replicas are asked for; one when nothing is said (apps/v1, DeploymentSpec)."""
    replicas = deployment["spec"].get("replicas")
    return 1 if replicas is None else int(replicas)


def images(template: Mapping[str, Any]) -> tuple[str, ...]:
    """The images of a pod template's containers, in their order."""
    return tuple(str(container.get("image", "")) for container in template.get("spec", {}).get("containers") or ())


def replicas_for(primary_replicas: int, weight: int) -> int:
    """How many canary replicas `weight` percent of the traffic needs: its share of the primary's, at least one."""
    return max(1, math.ceil(primary_replicas * weight / 100))


def _waiting(what: str, refused: str = "") -> Readiness:
    return Readiness(False, _with(f"waiting for rollout to finish: {what}", refused), refused=refused)


def _with(said: str, refused: str) -> str:
    return f"{said}: {refused}" if refused else said


def _refused(status: Mapping[str, Any]) -> str:
    """Why the API server lets no more pods be made, in its words but for the name of the pod, which is another each
    time (apps/v1, condition ReplicaFailure).
    """
    failure = _condition(status, "ReplicaFailure")
    if failure.get("status") != "True":
        return ""
    return _PODS_NAME.sub("", str(failure.get("message", "")))


def _condition(status: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    return next((dict(found) for found in status.get("conditions") or () if found.get("type") == kind), {})
