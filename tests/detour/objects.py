"""A Deployment and its Canary, as the API server would give them, in whatever state a test needs."""

from datetime import UTC, datetime
from typing import Any

from analyzer.status import Status
from analyzer.stored import to_object
from detour.application import Application
from webhook import stash
from webhook.revision import digest

Object = dict[str, Any]
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def template(tag: str) -> Object:
    """A pod template with this version."""
    return {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": f"web:{tag}"}]}}


V1, V2, V3 = (digest(template(tag)) for tag in ("1", "2", "3"))


def deployment(live: str = "1", diverted: str = "", previous: str = "", available: int = 2, **status: Any) -> Object:
    """The primary with two replicas, and what waits."""
    annotations = {stash.DIVERTED_BY: stash.Author("ann", "kubectl-set").encode()} if diverted else {}
    for key, tag in ((stash.TEMPLATE, diverted), (stash.PREVIOUS, previous)):
        if tag:
            annotations[key] = stash.encode(stash.Stash(template(tag)))
    counted = {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": available}
    return {
        "metadata": {"name": "web", "namespace": "shop", "generation": 1, "annotations": annotations},
        "spec": {"replicas": 2, "template": template(live)},
        "status": counted | status,
    }


def canary(status: Status | None = None, annotations: dict[str, Any] | None = None, **spec: Any) -> Object:
    """Its Canary, in steps of 25 % to 50 %."""
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    analysis = {"interval": "10s", "threshold": 3, "stepWeight": 25, "maxWeight": 50}
    created = "2026-11-22T10:00:00Z"
    return {
        "metadata": {
            "name": "web",
            "namespace": "shop",
            "creationTimestamp": created,
            "annotations": annotations or {},
        },
        "spec": {"targetRef": target, "analysis": analysis, **spec},
        "status": to_object(status or Status(), {}, NOW),
    }


def application(primary: Object | None = None, found: Object | None = None, **beside: Any) -> Application:
    """Both of them, and what runs beside."""
    return Application("shop", "web", primary, found, **beside)
