"""What Detour is to look after: namespaces and Deployments with a policy, and whether their canaries have room."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation

from analyzer.policy import RESERVED
from detour.doctor.finding import Finding, fail, ok, warn
from detour.doctor.snapshot import Object, Snapshot, called, label, name_of
from webhook import stash

MANAGED, QUOTA = "managed", "quota"
NEVER = ("kube-system",)
TAKEN = ("pods", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory", "cpu", "memory")
COUNTED = ("services", "count/services", "count/deployments.apps", "count/ingresses.networking.k8s.io")
_QUANTITY = re.compile(r"([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)(|[numkMGTPE]|[KMGTPE]i)")
_SCALE = {"": 0, "n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}


def check(seen: Snapshot) -> Iterator[Finding]:
    """Nothing is managed unless a label or a Canary says so."""
    spaces = {name_of(each): label(each, stash.POLICY) for each in seen.namespaces}
    chosen = {name: policy for name, policy in spaces.items() if policy not in (None, stash.POLICY_NONE)}
    single = [each for each in seen.workloads if each["kind"] == "Deployment" and _own(each)]
    yield _managed(chosen, single, len(seen.canaries))
    for name in chosen.keys() & {*NEVER, seen.home}:
        remedy = f"take it away: kubectl label namespace {name} {stash.POLICY}-"
        yield warn(MANAGED, f"namespace {name} has a policy, and is never managed", remedy)
    yield from _unknown(seen, {f"namespace {name}": str(policy) for name, policy in chosen.items()}, single)
    where = {*chosen, *(each["metadata"]["namespace"] for each in (*single, *seen.canaries))}
    for quota in seen.quotas:
        if quota["metadata"]["namespace"] in where:
            yield from _room(quota)


def _own(deployment: Object) -> str | None:
    policy = label(deployment, stash.POLICY)
    return None if policy in RESERVED else policy


def _managed(chosen: Mapping[str, str | None], single: list[Object], canaries: int) -> Finding:
    found = []
    if chosen:
        found.append(f"namespaces {', '.join(f'{name} ({policy})' for name, policy in sorted(chosen.items()))}")
    if single:
        found.append(f"Deployments {', '.join(sorted(map(called, single)))}")
    if canaries:
        found.append(f"the targets of {canaries} Canaries")
    hint = "" if found else f"kubectl label namespace NAME {stash.POLICY}=default, or write a Canary"
    return ok(MANAGED, "; ".join(found) or "nothing yet", hint)


def _unknown(seen: Snapshot, chosen: dict[str, str], single: list[Object]) -> Iterator[Finding]:
    if not seen.installed or "canarypolicies" in seen.unread:
        return
    known = {name_of(each) for each in seen.policies}
    asked = chosen | {f"Deployment {called(each)}": str(_own(each)) for each in single}
    for what, policy in asked.items():
        if policy not in known:
            remedy = "create it, or correct the label: updates are diverted there, and wait"
            yield fail(MANAGED, f"{what} names CanaryPolicy {policy}, which does not exist", remedy)


def _room(quota: Object) -> Iterator[Finding]:
    """A canary is one Deployment, one Service and one Ingress more, and pods up to the highest weight."""
    hard, used = (quota.get("status") or {}).get("hard") or {}, (quota.get("status") or {}).get("used") or {}
    full = [key for key in (*TAKEN, *COUNTED) if key in hard and _number(used.get(key, "0")) >= _number(hard[key])]
    if full:
        found = f"ResourceQuota {called(quota)} is used up: {', '.join(f'{key} {hard[key]}' for key in full)}"
        remedy = "raise it: a canary needs room beside its primary, for pods up to its highest weight"
        yield warn(QUOTA, found, remedy)


def _number(quantity: object) -> Decimal:
    """A quantity of Kubernetes (apimachinery, resource.Quantity); what is none counts as nothing."""
    found = _QUANTITY.fullmatch(str(quantity))
    try:
        number = Decimal(found[1]) if found else Decimal(0)
    except InvalidOperation:
        return Decimal(0)
    suffix = found[2] if found else ""
    if suffix.endswith("i"):
        return number * Decimal(1024 ** ("KMGTPE".index(suffix[0]) + 1))
    return number.scaleb(_SCALE[suffix])
