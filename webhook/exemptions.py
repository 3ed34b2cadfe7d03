"""When an update is let through without a canary: nothing to protect, or nothing that could run twice."""

from datetime import datetime, timedelta
from typing import Any

from webhook import stash
from webhook.objects import elements, labels, mapping
from webhook.request import Request
from webhook.revision import Template

PATIENCE = timedelta(seconds=60)
"""How long a primary must have been without an available replica: a blip must not open the door."""


def nothing_to_protect(request: Request, now: datetime) -> str:
    """Why no traffic depends on the primary; empty where some does.

    A broken primary must never block its own fix.
    """
    if mapping(request.object, "spec").get("replicas") == 0:
        return "0 replicas are wanted"
    status = mapping(request.old, "status")
    progressing = _condition(status, "Progressing")
    stuck = progressing.get("status") == "False" and progressing.get("reason") == "ProgressDeadlineExceeded"
    if stuck and not _serves(request):
        return "its rollout exceeded the progress deadline"
    available = _condition(status, "Available")
    since = _time(available.get("lastTransitionTime"))
    if available.get("status") == "False" and not status.get("availableReplicas") and since is not None:
        down = now - since
        if down >= PATIENCE:
            return f"no replica was available for {int(down.total_seconds())} s"
    return ""


def _serves(request: Request) -> bool:
    """Whether every replica that was wanted is there: then a deadline that it exceeded has harmed nobody."""
    wanted = mapping(request.old, "spec").get("replicas", 1)
    return bool((mapping(request.old, "status").get("availableReplicas") or 0) >= wanted)


def cannot_run_twice(request: Request, template: Template) -> str:
    """Why a second copy would do harm, or is somebody else's to make; empty where it is fine.

    A Deployment that carries the policy label itself has been looked at by somebody who knew that. Owner and strategy
    count as they were stored: one request must not bring a template and the reason to let it through.
    """
    if labels(request.object).get(stash.POLICY, labels(request.old).get(stash.POLICY)):
        return ""
    owner = next(
        (o for o in elements(mapping(request.old, "metadata"), "ownerReferences") if o.get("controller")), None
    )
    if owner is not None:
        return f"{owner.get('kind')} {owner.get('name')} controls it"
    if mapping(request.old, "spec", "strategy").get("type") == "Recreate":
        return "its strategy is Recreate"
    pod = mapping(template, "spec")
    if pod.get("hostNetwork"):
        return "it uses the host's network"
    return _host_port(pod) or _writable_claim(pod)


def _host_port(pod: Template) -> str:
    ports = (port for container in _containers(pod) for port in elements(container, "ports"))
    taken = next((port["hostPort"] for port in ports if port.get("hostPort")), None)
    return f"it takes host port {taken}" if taken else ""


def _writable_claim(pod: Template) -> str:
    for volume in elements(pod, "volumes"):
        claim = volume.get("persistentVolumeClaim")
        if not isinstance(claim, dict) or claim.get("readOnly"):
            continue
        mounts = (mount for container in _containers(pod) for mount in elements(container, "volumeMounts"))
        if any(mount.get("name") == volume.get("name") and not mount.get("readOnly") for mount in mounts):
            return f"it writes to claim {claim.get('claimName')}"
    return ""


def _containers(pod: Template) -> list[dict[str, Any]]:
    return elements(pod, "initContainers") + elements(pod, "containers")


def _condition(status: dict[str, Any], kind: str) -> dict[str, Any]:
    return next((found for found in elements(status, "conditions") if found.get("type") == kind), {})


def _time(text: Any) -> datetime | None:
    """A timestamp as Kubernetes writes it, with its zone."""
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None
