"""The Gateway API: which GatewayClasses there are, and what of an analysis they can do."""

from collections.abc import Iterator

from analyzer.routing.gateway import ANSWERS, MIRRORS
from analyzer.routing.gateways import ACCEPTED, supported
from detour.doctor.finding import Finding, ok, warn
from detour.doctor.snapshot import Object, Snapshot, name_of

CHECK = "Gateway API"
BEYOND = {ANSWERS: "session affinity", MIRRORS: "mirroring"}  # what is not of its core


def check(seen: Snapshot) -> Iterator[Finding]:
    """Each GatewayClass; without the Gateway API there is nothing to say."""
    for each in seen.gateway_classes:
        yield _class(each)


def _class(found: Object) -> Finding:
    what = f"class {name_of(found)} of {found['spec'].get('controllerName', '')}"
    conditions = (found.get("status") or {}).get("conditions") or ()
    if not any(one.get("type") == ACCEPTED and one.get("status") == "True" for one in conditions):
        return warn(CHECK, f"{what} is accepted by no controller", "install it: routes of this class lead nowhere")
    known = set(supported(found))
    able = ["weights", "A/B tests", *(name for feature, name in BEYOND.items() if feature in known)]
    lacking = [f"{name} ({feature})" for feature, name in BEYOND.items() if feature not in known]
    missing = f"; not {', '.join(lacking)}" if lacking else ""
    return ok(CHECK, f"{what}: {', '.join(able)}{missing}")
