"""Who else has a say in the updates of Deployments: other webhooks, and tools that apply manifests."""

from collections.abc import Iterator

from analyzer.removal import CONFIGURATION
from detour.doctor.finding import Finding, ok, warn
from detour.doctor.snapshot import Object, Snapshot, containers_of, label, name_of

WEBHOOKS, GITOPS = "other webhooks", "GitOps"
_ANY = "*"
_TOOLS = {"argocd": "Argo CD", "flux": "Flux"}


def check(seen: Snapshot) -> Iterator[Finding]:
    """The API server calls configurations in the order of their names, and Detour's is to be the last."""
    others = [each for each in seen.hooks if name_of(each) != CONFIGURATION and _mutates_deployments(each)]
    late = [each for each in others if name_of(each) > CONFIGURATION]
    for each in late:
        found = f"{_described(each)} is called after Detour's, which is called once more when it changes a template"
        yield warn(WEBHOOKS, found, f"if a canary starts at every update: rename it to sort before {CONFIGURATION}")
    if early := [_described(each) for each in others if each not in late]:
        yield ok(
            WEBHOOKS, f"called before Detour's, so what they make of a template is diverted, too: {', '.join(early)}"
        )
    if not others and "mutatingwebhookconfigurations" not in seen.unread:
        yield ok(WEBHOOKS, "none changes Deployments")
    if tools := sorted({tool for each in seen.workloads if (tool := _tool(each))}):
        yield ok(GITOPS, f"{' and '.join(tools)}: nothing to do", "how they see a canary: docs/ci.md")


def _mutates_deployments(configuration: Object) -> bool:
    rules = (rule for hook in configuration.get("webhooks") or () for rule in hook.get("rules") or ())
    return any(
        {"apps", _ANY} & set(rule.get("apiGroups") or ())
        and {"deployments", "deployments/*", _ANY, "*/*"} & set(rule.get("resources") or ())
        and {"UPDATE", _ANY} & set(rule.get("operations") or ())
        for rule in rules
    )


def _described(configuration: Object) -> str:
    policies = sorted({str(hook.get("failurePolicy", "Fail")) for hook in configuration["webhooks"]})
    return f"{name_of(configuration)} (failurePolicy {', '.join(policies)})"


def _tool(workload: Object) -> str | None:
    part_of = label(workload, "app.kubernetes.io/part-of") or ""
    images = " ".join(str(each.get("image")) for each in containers_of(workload))
    if "argoproj/argocd" in images:
        return _TOOLS["argocd"]
    if "fluxcd/kustomize-controller" in images or "fluxcd/helm-controller" in images:
        return _TOOLS["flux"]
    return _TOOLS.get(part_of)
