"""Deployments and requests to build tests from, and what comes of a request when the webhook has answered it."""

import copy
import json
from typing import Any

from tests.webhook.model import ANALYZER, HEALTHY, NOW, review
from webhook import stash
from webhook.decision import Decision, Settings
from webhook.divert import divert
from webhook.request import Request
from webhook.review import parse, patch

SETTINGS = Settings(ANALYZER)
APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def template(image: str = "podinfo:1", /, **more: Any) -> dict[str, Any]:
    """A pod template; `more` goes into its one container."""
    container = {"name": "podinfo", "resources": {}, "image": image, **more}
    return {"metadata": {"labels": {"app": "podinfo"}}, "spec": {"containers": [container]}}


def deployment(
    pods: dict[str, Any] | None = None,
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    """A healthy Deployment that opted in by itself, as the API server has it stored."""
    metadata: dict[str, Any] = {"name": "podinfo", "namespace": "shop"}
    metadata["labels"] = {stash.POLICY: "default"} if labels is None else labels
    if annotations is not None:
        metadata["annotations"] = annotations
    selector = {"matchLabels": {"app": "podinfo"}}
    body = {"replicas": 2, "selector": selector, "template": pods or template(), **spec}
    return {"metadata": metadata, "spec": body, "status": HEALTHY}


def changed(old: dict[str, Any], pods: dict[str, Any] | None = None, /, **notes: str | None) -> dict[str, Any]:
    """The Deployment with another template, and with annotations set, or taken away where None."""
    new = copy.deepcopy(old)
    if pods is not None:
        new["spec"]["template"] = pods
    entries = new["metadata"].setdefault("annotations", {})
    entries |= {key: value for key, value in notes.items() if value is not None}
    for key in [key for key, value in notes.items() if value is None]:
        entries.pop(key, None)
    return new


def request(
    new: dict[str, Any], old: dict[str, Any] | None, manager: str = "kubectl-set", user: str = "ann", **more: Any
) -> Request:
    """The request, by way of the bytes of its review."""
    return parse(json.dumps(review(new, old, manager, user, **more)).encode())


def decide(
    new: dict[str, Any],
    old: dict[str, Any] | None,
    manager: str = "kubectl-set",
    user: str = "ann",
    settings: Settings = SETTINGS,
    **more: Any,
) -> Decision:
    """What the webhook decides."""
    return divert(request(new, old, manager, user, **more), settings, NOW)


def stored(new: dict[str, Any], decision: Decision) -> dict[str, Any]:
    """The Deployment as the API server stores it with the answer's patch."""
    assert decision.denial is None, decision.denial
    found: dict[str, Any] = patch(request(new, new), decision).apply(new)
    return found


def shipped(
    old: dict[str, Any], pods: dict[str, Any], manager: str = "kubectl-set", **notes: str | None
) -> dict[str, Any]:
    """The Deployment after an update of its template."""
    new = changed(old, pods, **notes)
    return stored(new, decide(new, old, manager))


def labelled(old: dict[str, Any], **labels: str | None) -> dict[str, Any]:
    """The Deployment with labels set by hand, or taken away; `state` and the like are short for our own keys."""
    new = copy.deepcopy(old)
    for name, value in labels.items():
        if value is None:
            new["metadata"]["labels"].pop(f"detour.dev/{name}", None)
        else:
            new["metadata"]["labels"][f"detour.dev/{name}"] = value
    return new


def promoted(old: dict[str, Any], verb: str, whole: str, user: str = ANALYZER) -> Decision:
    """The answer to the analyzer's wish."""
    return decide(changed(old, **{stash.PROMOTE: f"{verb}:{whole}"}), old, "detour", user)


def after(old: dict[str, Any], verb: str, whole: str) -> dict[str, Any]:
    """The Deployment after the analyzer's wish."""
    return stored(changed(old, **{stash.PROMOTE: f"{verb}:{whole}"}), promoted(old, verb, whole))
