"""Policies by label: whose Deployment falls under which CanaryPolicy, and the Canary that it then gets.

The webhook diverts whatever bears the label, or lives in a Namespace that does; which policy is meant is decided here.
The Canary is the Deployment's own object like any other, so that everything else knows nothing of policies.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from analyzer.coexistence import TAKE
from analyzer.fields import SpecError
from analyzer.kube.resources import CANARIES, CANARY_POLICIES, DEPLOYMENTS
from analyzer.memory import carried, whole_spec
from analyzer.metrics import validate
from analyzer.spec import DIRECT, parse
from webhook import stash

Object = Mapping[str, Any]

BY_POLICY = "detour.dev/by-policy"  # label: the policy that a Canary was made by
GIVEN = "detour.dev/policy-spec"  # annotation: digest of the spec that the policy gave it
AT_ONCE = "atOnce"  # field of a policy: how many of its rollouts may be in flight at once
RESERVED = (stash.POLICY_NONE, stash.POLICY_CANARY)


def policy_of(deployment: Object, namespace: Object | None) -> str | None:
    """The name of the policy that a Deployment falls under. Its own label wins over that of its Namespace."""
    own = _label(deployment, stash.POLICY)
    if own not in (None, stash.POLICY_CANARY):
        return None if own == stash.POLICY_NONE else own
    around = _label(namespace, stash.POLICY) if namespace else None
    return None if around in RESERVED else around


def is_managed(deployment: Object, namespace: Object | None) -> bool:
    """Whether the webhook is called for it, by its own label or its Namespace's (manifests/base/webhook.yaml)."""
    own = _label(deployment, stash.POLICY)
    around = _label(namespace, stash.POLICY) if namespace else None
    return (around if own is None else own) not in (None, stash.POLICY_NONE)


def canary_by(policy: Object, deployment: Object, *, beside_flagger: bool = False) -> dict[str, Any]:
    """The Canary that a policy gives a Deployment, which owns it; `beside_flagger`, one that Flagger leaves alone."""
    metadata = deployment["metadata"]
    spec = {"withoutRoutes": DIRECT, **policy["spec"], "targetRef": _reference(metadata["name"])}
    spec.pop(AT_ONCE, None)  # of all of them together
    if beside_flagger:
        spec["suspend"] = True
    owner = _reference(metadata["name"]) | {"uid": metadata["uid"], "controller": False, "blockOwnerDeletion": False}
    return {
        "apiVersion": CANARIES.api_version,
        "kind": CANARIES.kind,
        "metadata": {
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "labels": {BY_POLICY: policy["metadata"]["name"], **({TAKE: "true"} if beside_flagger else {})},
            "annotations": {GIVEN: _digest(spec), **carried(spec)},
            "ownerReferences": [owner],
        },
        "spec": spec,
    }


def default(spec: Object | None = None) -> dict[str, Any]:
    """The policy that every cluster starts with; its spec is the operator's, or ours."""
    return {
        "apiVersion": CANARY_POLICIES.api_version,
        "kind": CANARY_POLICIES.kind,
        "metadata": {"name": "default"},
        "spec": dict(spec or _default_spec()),
    }


def check(spec: Object) -> None:
    """Raises SpecError for the spec of a policy that no Canary could go by, TypeError for what is none at all."""
    if not isinstance(spec.get("analysis"), dict):
        raise SpecError("spec.analysis", "it says nothing", "say how an update is tried out, stepWeights at least")
    if not isinstance(most := spec.get(AT_ONCE, 1), int) or most < 1:
        raise SpecError(f"spec.{AT_ONCE}", f"{most!r} is no number of rollouts", "set 1 or more, or take it out")
    try:
        validate(parse({"spec": {**spec, "targetRef": _reference("default")}}).metrics, "")
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise TypeError("a field of it has a value of the wrong type") from error


def _default_spec() -> dict[str, Any]:
    metrics = [
        {"name": "request-success-rate", "interval": "1m", "thresholdRange": {"min": 99}},
        {"name": "request-duration", "interval": "1m", "thresholdRange": {"max": 500}},
    ]
    return {"analysis": {"interval": "30s", "threshold": 3, "stepWeights": [10, 25, 50], "metrics": metrics}}


def is_by_policy(canary: Object) -> bool:
    """Whether a Canary is still what its policy made of it; one that a person has edited since is that person's."""
    given = (canary["metadata"].get("annotations") or {}).get(GIVEN)
    if _label(canary, BY_POLICY) is None:
        return False
    try:
        return given == _digest(whole_spec(canary))
    except SpecError:
        return False


def rank(canary: Object) -> tuple[bool, str, str]:
    """Of several Canaries with the same target the first by this order counts: the user's own, then the oldest."""
    metadata = canary["metadata"]
    return is_by_policy(canary), metadata["creationTimestamp"], metadata["name"]


def _reference(name: str) -> dict[str, Any]:
    return {"apiVersion": DEPLOYMENTS.api_version, "kind": DEPLOYMENTS.kind, "name": name}


def _label(thing: Object, key: str) -> str | None:
    value = (thing["metadata"].get("labels") or {}).get(key)
    return None if value is None else str(value)


def _digest(spec: Object) -> str:
    return hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()
