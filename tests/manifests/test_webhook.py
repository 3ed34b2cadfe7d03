"""Which requests the API server shows to the webhook. tests/manifests/test_conditions.py tries them on a cluster."""

from typing import Any

import pytest

from tests.manifests.rendered import documents, the

OBJECT, NAMESPACE = "divert-object.detour.dev", "divert-namespace.detour.dev"
POLICY = "detour.dev/policy"


def webhooks() -> dict[str, dict[str, Any]]:
    return {w["name"]: w for w in the("MutatingWebhookConfiguration", "zz-detour", "base/webhook.yaml")["webhooks"]}


def requirements(selector: dict[str, Any]) -> set[tuple[str, str, tuple[str, ...]]]:
    return {(r["key"], r["operator"], tuple(r.get("values", ()))) for r in selector["matchExpressions"]}


@pytest.mark.parametrize("name", [OBJECT, NAMESPACE])
def test_there_is_no_ca_bundle_to_overwrite_the_live_one(name: str) -> None:
    assert set(webhooks()[name]["clientConfig"]) == {"service"}


@pytest.mark.parametrize("name", [OBJECT, NAMESPACE])
def test_a_call_fails_closed_soon_and_without_side_effects(name: str) -> None:
    webhook = webhooks()[name]
    assert webhook["failurePolicy"] == "Fail"
    assert webhook["timeoutSeconds"] == 5
    assert webhook["sideEffects"] == "None"
    assert webhook["matchPolicy"] == "Equivalent"
    assert webhook["reinvocationPolicy"] == "IfNeeded"
    assert webhook["admissionReviewVersions"] == ["v1"]
    assert webhook["clientConfig"]["service"] == {"name": "detour", "path": "/divert", "port": 443}


def test_only_creations_and_updates_of_deployments_are_asked_about() -> None:
    expected = {
        "apiGroups": ["apps"],
        "apiVersions": ["v1"],
        "resources": ["deployments"],
        "operations": ["CREATE", "UPDATE"],
        "scope": "Namespaced",
    }
    assert all(webhook["rules"] == [expected] for webhook in webhooks().values())


def test_the_deployments_label_decides_and_else_its_namespaces() -> None:
    managed = {(POLICY, "Exists", ()), (POLICY, "NotIn", ("none",))}
    assert requirements(webhooks()[OBJECT]["objectSelector"]) == managed
    assert requirements(webhooks()[NAMESPACE]["objectSelector"]) == {(POLICY, "DoesNotExist", ())}
    assert managed < requirements(webhooks()[NAMESPACE]["namespaceSelector"])


@pytest.mark.parametrize("name", [OBJECT, NAMESPACE])
def test_kube_system_and_our_own_namespace_are_never_caught_whatever_its_name(name: str) -> None:
    own = ("kubernetes.io/metadata.name", "NotIn", ("kube-system", "detour"))
    assert own in requirements(webhooks()[name]["namespaceSelector"])
    (kustomization,) = documents("kustomization.yaml")
    assert (kustomization["namespace"], kustomization["transformers"]) == ("detour", ["namespace"])
    (replacement,) = the("ReplacementTransformer", "follow", "namespace/follow.yaml")["replacements"]
    assert replacement["source"] == {"kind": "Namespace", "name": "detour"}
    path = "webhooks.*.namespaceSelector.matchExpressions.[key=kubernetes.io/metadata.name].values.1"
    assert replacement["targets"][0]["fieldPaths"] == [path]


def test_both_entries_go_by_the_same_conditions() -> None:
    conditions = webhooks()[OBJECT]["matchConditions"]
    assert conditions == webhooks()[NAMESPACE]["matchConditions"]
    assert [condition["name"] for condition in conditions] == ["not-a-canary", "relevant", "not-bypassed"]


def test_the_conditions_look_at_all_that_they_have_to() -> None:
    expressions = {c["name"]: c["expression"] for c in webhooks()[OBJECT]["matchConditions"]}
    for part in (
        "object.spec.template != oldObject.spec.template",
        "labels.orValue({}).exists",
        "annotations.orValue({}).exists",
        "'detour.dev/template'",
        "'kubectl.kubernetes.io/last-applied-configuration'",
        "m.operation == 'Apply' && m.manager == request.options.fieldManager",
    ):
        assert part in expressions["relevant"], part
    assert "'detour.dev/canary-of'" in expressions["not-a-canary"]
    assert ".check('bypass').allowed()" in expressions["not-bypassed"]


def test_what_may_be_absent_is_asked_for_first() -> None:
    """A field that is absent is an error in CEL, and an error refuses the request: some clients send no field manager,
    and a creation has no old object."""
    for condition in webhooks()[OBJECT]["matchConditions"]:
        expression = condition["expression"]
        assert ("request.options.fieldManager" in expression) == ("has(request.options.fieldManager)" in expression)
        assert ("oldObject" in expression) == ("request.operation == 'CREATE'" in expression)
