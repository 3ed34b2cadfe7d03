"""Reviews to begin with: every kind of request about one Deployment, which is as an API server stored it."""

import copy
import json
from pathlib import Path

from tests.webhook.deployments import APPLIED, after, changed, labelled, shipped
from tests.webhook.model import ANALYZER, review
from webhook import stash
from webhook.revision import RESTARTED_AT, Object, Template, digest

SECRET = "hunter2"
"""Stands in the Deployment, and may come back in a patch alone."""

STORED: Object = json.loads((Path(__file__).parent / "deployment.json").read_text())
"""`kubectl apply` of a small Deployment, and then `kubectl get -o json --show-managed-fields` (Kubernetes 1.36)."""


def _template(tag: str) -> Template:
    found: Template = copy.deepcopy(STORED["spec"]["template"])
    found["spec"]["containers"][0]["image"] = f"ghcr.io/stefanprodan/podinfo:{tag}"
    return found


def _applied(tag: str) -> str:
    manifest = json.loads(STORED["metadata"]["annotations"][APPLIED])
    manifest["spec"]["template"]["spec"]["containers"][0]["image"] = f"ghcr.io/stefanprodan/podinfo:{tag}"
    return json.dumps(manifest)


def _server_side(old: Object, tag: str) -> Object:
    new = changed(old, _template(tag))
    entry = copy.deepcopy(new["metadata"]["managedFields"][0])
    new["metadata"]["managedFields"].append(entry | {"manager": "flux", "operation": "Apply"})
    return new


def reviews() -> list[Object]:
    """One of each kind."""
    v1, v2, v3 = STORED["spec"]["template"], _template("6.0.1"), _template("6.0.2")
    waiting = shipped(STORED, v2)
    promoting = after(waiting, stash.GO, digest(v2))
    promoted = after(promoting, stash.DONE, digest(v2))
    stamped = copy.deepcopy(v1)
    stamped["metadata"].setdefault("annotations", {})[RESTARTED_AT] = "2026-11-23T00:00:00Z"
    down = copy.deepcopy(STORED)
    down["status"] = {
        "conditions": [{"type": "Available", "status": "False", "lastTransitionTime": "2020-01-01T00:00:00Z"}]
    }
    large = changed(STORED, v2 | {"metadata": {"annotations": {"note": "x" * stash.COMPRESS_ABOVE}}})
    rejected = labelled(waiting, state=stash.STATE_REJECTED)

    def asks(here: Object, verb: str) -> Object:
        new = changed(here, **{stash.PROMOTE: stash.promote_request(verb, digest(v2))})
        return review(new, here, "detour", ANALYZER)

    return [
        review(changed(STORED, v2), STORED, "kubectl-set"),
        review(changed(STORED, v2), STORED, "kubectl-set", dryRun=True),
        review(changed(STORED, v2, **{APPLIED: _applied("6.0.1")}), STORED, "kubectl-client-side-apply"),
        review(changed(waiting, v1, **{APPLIED: _applied("6.0.0")}), waiting, "kubectl-client-side-apply"),
        review(_server_side(STORED, "6.0.1"), STORED, "flux"),
        review(_server_side(waiting, "6.0.2"), waiting, "flux"),
        review(changed(waiting, v3), waiting, "kubectl-set"),
        review(changed(rejected, v2), rejected, "kubectl-set"),
        review(changed(STORED, v3 | {"metadata": {"labels": {"app": "other"}}}), STORED, "kubectl-edit"),
        review(changed(promoted, v1, **dict.fromkeys(stash.ANNOTATIONS)), promoted),
        review(changed(waiting, v3, **dict.fromkeys(stash.ANNOTATIONS)), waiting),
        review(changed(STORED, stamped), STORED, "kubectl-rollout"),
        review(changed(down, v2), down, "kubectl-set"),
        review(large, STORED, "kubectl-replace"),
        review(labelled(changed(waiting, v3), policy=stash.POLICY_NONE), waiting, "kubectl-label"),
        review(labelled(waiting, policy=None), waiting, "kubectl-label"),
        asks(waiting, stash.GO),
        asks(promoting, stash.DONE),
        asks(promoting, stash.BACK),
        review(waiting, None, "kubectl-create"),
    ]
