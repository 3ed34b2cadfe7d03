"""docs/fields.md: every field of the definitions, from their own schemas, and whether this version carries it out."""

from collections.abc import Iterator
from typing import Any

from analyzer.fields import SpecError
from analyzer.spec import parse
from tests.docs.pages import DOCS
from tests.manifests.rendered import definitions

PAGE = DOCS / "fields.md"
Schema = dict[str, Any]

_READ = {
    "Canary": """
        targetRef provider metricsServer progressDeadlineSeconds skipAnalysis suspend withoutRoutes freezes
        ingressRef routeRef autoscalerRef analysis.match analysis.mirror analysis.mirrorWeight
        analysis.sessionAffinity service.name service.port service.portName service.targetPort service.appProtocol
        service.headless service.apex service.primary service.canary service.portDiscovery
        service.trafficDistribution revertOnDeletion analysis.interval analysis.threshold analysis.maxWeight
        analysis.stepWeight analysis.stepWeights analysis.metrics analysis.webhooks[].name analysis.webhooks[].type
        analysis.webhooks[].url analysis.webhooks[].timeout analysis.webhooks[].retries
        analysis.webhooks[].disableTLS analysis.webhooks[].muteAlert analysis.webhooks[].metadata analysis.noData
        analysis.minRequests analysis.webhooks[].deadline analysis.alerts analysis.primaryReadyThreshold
        analysis.canaryReadyThreshold analysis.iterations analysis.stepWeightPromotion analysis.replicaRatio
    """,
    "CanaryPolicy": "metricsServer progressDeadlineSeconds skipAnalysis suspend withoutRoutes freezes atOnce",
    "MetricTemplate": """
        query provider.type provider.address provider.insecureSkipVerify provider.headers provider.secretRef
    """,
    "AlertProvider": "type address channel username proxy secretRef",
}
CARRIED_OUT = {kind: names.split() for kind, names in _READ.items()}
"""What the code reads, with all that is below; tests/docs/test_fields.py tells it from what is refused."""

REFUSED, IDLE = "refused", "idle"
FOLDED = {REFUSED: "Not there yet", IDLE: "No effect here"}

HEAD = """# Every field

Made from the schemas of the definitions by `make docs`; `kubectl explain canary.spec` shows the same. Paths are below
`spec`; `[]` is each element of a list, `{}` each value of a map.

Folded away below each table are the fields that this version does not carry out, so that nobody searches in vain. *Not
there yet*: a Canary that sets it is refused by name, in its status. *No effect here*: it is accepted, since YAML that
was written for Flagger has it, and changes nothing; most are about meshes and gateways.

The keys on Deployments and Namespaces are on [a page of their own](keys.md); the settings of the analyzer and of the
webhook are in [options.md](options.md).
"""

INTRODUCTIONS = {
    "Canary": "What a good version of one Deployment is. `flagger.app/v1beta1`, in the Deployment's namespace.",
    "CanaryPolicy": """What every Deployment under a label gets. `detour.dev/v1alpha1`, of the whole cluster; its name
is the value of the label `detour.dev/policy`. Its `analysis` is that of [Canary](#canary), field by field.""",
    "MetricTemplate": """A query, and who answers it. `flagger.app/v1beta1`. More of it under
[metrics](routing-and-metrics.md#metrics).""",
    "AlertProvider": """A chat that Canaries send their alerts to. `flagger.app/v1beta1`.
[alerts.md](alerts.md) has examples.""",
}


def page() -> str:
    """The whole page."""
    found = definitions()
    parts = [HEAD]
    for kind, introduction in INTRODUCTIONS.items():
        schema = found[kind]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
        parts.append(f"## {kind}\n\n{introduction}\n")
        parts.append(_table(kind, schema["spec"]))
        if kind == "Canary":
            parts.append("### Status of a Canary\n\nWritten by the analyzer alone. Paths are below `status`.\n")
            parts.append(_rows(list(_fields(schema["status"]))))
    return "\n".join(parts)


def effect(kind: str, path: str) -> str:
    """Whether this version carries a field out; "" if it does."""
    if any(path == known or path.startswith((f"{known}.", f"{known}[", f"{known}{{")) for known in CARRIED_OUT[kind]):
        return ""
    if any(known.startswith((f"{path}.", f"{path}[")) for known in CARRIED_OUT[kind]):
        return ""
    if kind == "Canary" and is_refused(path):
        return REFUSED
    return IDLE


def is_refused(path: str) -> bool:
    """Whether a Canary that is well but for this field of its spec, or what it is a part of, is not carried out."""
    spec: Schema = {
        "targetRef": {"kind": "Deployment", "name": "podinfo"},
        "analysis": {"interval": "10s", "threshold": 1, "stepWeight": 10},
    }
    parts = path.partition("[")[0].partition("{")[0].split(".")
    *above, last = parts[: 2 if parts[0] in spec or parts[0] == "service" else 1]
    (spec.setdefault(above[0], {}) if above else spec)[last] = [{}]
    try:
        parse({"spec": spec})
    except SpecError as error:
        return error.field == f"spec.{'.'.join([*above, last])}"
    return False


def _table(kind: str, schema: Schema) -> str:
    """What this version carries out, then, folded away, what it refuses and what it takes no notice of."""
    of_canary = "analysis" if kind == "CanaryPolicy" else " "
    groups: dict[str, list[tuple[str, Schema]]] = {}
    for path, field in _fields(schema):
        if not path.startswith(of_canary):
            groups.setdefault(effect(kind, path), []).append((path, field))
    text = _rows(groups.get("", []))
    for here, title in FOLDED.items():
        if found := groups.get(here):
            summary = f"<summary>{title}: {len(found)} fields of {kind}</summary>"
            text += f"\n<details>{summary}\n\n{_rows(found)}\n</details>\n"
    return text


def _fields(schema: Schema, path: str = "", required: bool = False) -> Iterator[tuple[str, Schema]]:
    """Each field below a schema, in its order, with whether it has to be there."""
    if path:
        yield path, schema | {"needed": required}
    for name, field in schema.get("properties", {}).items():
        yield from _fields(field, f"{path}.{name}".lstrip("."), name in schema.get("required", ()))
    for key, mark in (("items", "[]"), ("additionalProperties", "{}")):
        below = schema.get(key)
        if isinstance(below, dict) and (below.get("properties") or below.get("additionalProperties")):
            yield from (each for each in _fields(below, path + mark) if each[0] != path + mark)


def _rows(fields: list[tuple[str, Schema]]) -> str:
    """A table, if there is anything to be in it."""
    if not fields:
        return ""
    rows = [f"| `{path}` | {_type(field)} | {_meaning(field)} |" for path, field in fields]
    return "\n".join(["| field | type | meaning |", "|---|---|---|", *rows, ""])


def _type(field: Schema) -> str:
    kind = "integer or string" if field.get("x-kubernetes-int-or-string") else str(field.get("type", "any"))
    below = field.get("items") or field.get("additionalProperties")
    if isinstance(below, dict):
        of = "objects" if below.get("type") in ("object", "array") else f"{below.get('type', 'any')}s"
        kind = f"list of {of}" if kind == "array" else f"map to {of}"
    least, most = field.get("minimum"), field.get("maximum")
    if least is not None:
        kind += f", {least} or more" if most is None else f", {least}–{most}"
    return f"{kind}, **required**" if field.get("needed") else kind


def _meaning(field: Schema) -> str:
    said = " ".join(str(field.get("description", "")).split()).replace("|", "\\|").replace("<", "&lt;")
    values = ", ".join(f"`{value}`" for value in field.get("enum", ()) if value)
    default = f"Default `{field['default']}`." if "default" in field else ""
    rules = [rule["message"].strip() for rule in field.get("x-kubernetes-validations", ())]
    refusal = f"Refused otherwise: {'; '.join(rules)}." if rules else ""
    return " ".join(filter(None, [said, f"One of {values}." if values else "", default, refusal]))
