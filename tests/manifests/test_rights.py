"""Every right is on the list, with what it is for: a new one has to be argued for here."""

from typing import Any

import pytest

from tests.manifests.rendered import documents, the

READ, MAKE = ("get", "list", "watch"), ("create", "delete", "get", "list", "patch", "watch")
ANALYZER = {
    ("apps", "deployments", None): MAKE,  # the primary is patched; the canary is made and removed
    ("detour.dev", "deployments", None): ("opt-out",),  # its mark on canaries, and letting a Deployment go
    ("", "services", None): MAKE,  # the canary's Service
    ("networking.k8s.io", "ingresses", None): MAKE,  # the canary's Ingress
    ("networking.k8s.io", "networkpolicies", None): ("list",),  # the canary's labels should go on matching these
    ("policy", "poddisruptionbudgets", None): ("list",),
    ("", "pods", None): ("list", "patch"),  # why a canary is not ready; its labels, where its share is one of the pods
    # whether the primary has an autoscaler, and the copy of it for the canary, which goes with the canary's Deployment
    ("autoscaling", "horizontalpodautoscalers", None): ("create", "get", "list", "patch"),
    ("keda.sh", "scaledobjects", None): ("create", "get", "patch"),
    ("networking.k8s.io", "ingressclasses", None): ("list",),  # which controller serves an Ingress
    ("flagger.app", "canaries", None): ("create", "delete", *READ[:2], "update", "watch"),  # those of a policy
    ("detour.dev", "canarypolicies", None): ("create", *READ),  # the first one, default, is made
    ("", "namespaces", None): READ,  # their labels
    ("flagger.app", "metrictemplates", None): READ,
    ("flagger.app", "alertproviders", None): ("get",),
    ("flagger.app", "canaries/status", None): ("patch", "update"),
    ("", "configmaps", None): (
        "create",
        "delete",
        "list",
        "patch",
        "watch",
    ),  # held, or put back, while they are needed
    ("", "serviceaccounts", None): ("list", "patch", "watch"),
    ("discovery.k8s.io", "endpointslices", "kubernetes"): ("get",),  # the API server's, which nobody has called
    ("", "events", None): ("create", "patch"),
    ("events.k8s.io", "events", None): ("create", "patch"),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations", "zz-detour"): (
        "delete",  # when its Service is being deleted
        *READ[:2],
        "patch",
        "watch",
    ),
    # its own finalizer, while a canary is in flight
    ("rbac.authorization.k8s.io", "clusterroles", "detour-analyzer"): ("get", "patch"),
    ("rbac.authorization.k8s.io", "clusterrolebindings", "detour-analyzer"): ("patch",),
    # whether what calls itself Flagger may act on Canaries
    ("authorization.k8s.io", "subjectaccessreviews", None): ("create",),
    # whether all Canaries go because this does
    ("apiextensions.k8s.io", "customresourcedefinitions", "canaries.flagger.app"): ("get",),
    # the users' HTTPRoutes have a share for the canary, and are given back; it has one of its own beside
    ("gateway.networking.k8s.io", "httproutes", None): ("create", "delete", *READ[:2], "patch", "watch"),
    ("gateway.networking.k8s.io", "gateways", None): ("list",),  # what they can do
    ("gateway.networking.k8s.io", "gatewayclasses", None): ("list",),
    # whether there are HTTPRoutes
    ("apiextensions.k8s.io", "customresourcedefinitions", "httproutes.gateway.networking.k8s.io"): ("list", "watch"),
}
ANALYZER_AT_HOME = {
    ("coordination.k8s.io", "leases", None): ("create",),  # which replica leads
    ("coordination.k8s.io", "leases", "detour-analyzer"): ("get", "list", "update", "watch"),
    ("detour.dev", "leaders", None): ("create",),  # the same, for the policy that refuses others
    ("detour.dev", "leaders", "detour-analyzer"): ("get", "update"),
}
ITS_CA = {
    ("", "secrets", None): ("create",),  # RBAC sees no name on create
    ("", "secrets", "detour-ca"): ("get", "list", "patch", "watch"),
}
EVERYTHING = ("alertproviders", "canaries", "metrictemplates")
PEOPLE = {
    "detour-view": {("flagger.app", kind, None): READ for kind in EVERYTHING},
    "detour-edit": {
        ("flagger.app", kind, None): ("create", "delete", "deletecollection", "patch", "update") for kind in EVERYTHING
    },
    "detour-opt-out": {("detour.dev", kind, None): ("opt-out",) for kind in ("deployments", "namespaces")},
    "detour-approve": {("detour.dev", "canaries", None): ("approve",)},
    "detour-promote": {("detour.dev", "canaries", None): ("promote",)},
    "detour-bypass": {("detour.dev", "deployments", None): ("bypass",)},
    "detour-secret-reader": {("", "secrets", None): ("get",)},
    "detour-secret-holder": {("", "secrets", None): ("create", "delete", "list", "patch")},
}

Rights = dict[tuple[str, str, str | None], tuple[str, ...]]


def rights(role: dict[str, Any]) -> Rights:
    """API group, resource and name (None: any) with the verbs, sorted."""
    found: Rights = {}
    for rule in role["rules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                for name in rule.get("resourceNames", [None]):
                    assert (group, resource, name) not in found, "one rule for one thing"
                    found[group, resource, name] = tuple(sorted(rule["verbs"]))
    return found


def test_the_analyzer_may_do_this_in_every_namespace_and_no_more() -> None:
    assert rights(the("ClusterRole", "detour-analyzer", "rbac/analyzer.yaml")) == ANALYZER


def test_the_analyzer_may_do_this_in_its_own_namespace_and_no_more() -> None:
    assert rights(the("Role", "detour-analyzer", "rbac/analyzer.yaml")) == ANALYZER_AT_HOME
    assert rights(the("Role", "detour-ca", "rbac/ca.yaml")) == ITS_CA


@pytest.mark.parametrize("name", PEOPLE)
def test_a_role_for_people_allows_this_and_no_more(name: str) -> None:
    assert rights(the("ClusterRole", name, "rbac/users.yaml")) == PEOPLE[name]


def test_there_are_no_other_roles_and_only_the_analyzer_is_bound() -> None:
    everything = [o for name in ("analyzer", "ca", "users") for o in documents(f"rbac/{name}.yaml")]
    found = sorted((o["kind"], o["metadata"]["name"]) for o in everything)
    assert found == [
        ("ClusterRole", "detour-analyzer"),
        *(("ClusterRole", name) for name in sorted(PEOPLE)),
        ("ClusterRoleBinding", "detour-analyzer"),
        ("Role", "detour-analyzer"),
        ("Role", "detour-ca"),
        ("RoleBinding", "detour-analyzer"),
        ("RoleBinding", "detour-ca"),
        ("ServiceAccount", "detour-analyzer"),
        ("ValidatingAdmissionPolicy", "detour-anchors"),
        ("ValidatingAdmissionPolicy", "detour-custody"),
        ("ValidatingAdmissionPolicyBinding", "detour-anchors"),
        ("ValidatingAdmissionPolicyBinding", "detour-custody"),
    ]
    for binding in (o for o in everything if o["kind"].endswith("RoleBinding")):
        assert [(s["kind"], s["name"]) for s in binding["subjects"]] == [("ServiceAccount", "detour-analyzer")]
        assert binding["roleRef"]["kind"] == binding["kind"].removesuffix("Binding")


def test_the_analyzer_has_no_right_to_a_secret_of_other_namespaces_nor_to_anybodys_token() -> None:
    resources = {resource for _, resource, _ in rights(the("ClusterRole", "detour-analyzer", "rbac/analyzer.yaml"))}
    assert not resources & {"secrets", "*", "serviceaccounts/token", "pods/exec"}


def test_what_it_may_patch_and_has_not_made_is_fenced_by_a_policy() -> None:
    policy = the("ValidatingAdmissionPolicy", "detour-custody", "rbac/analyzer.yaml")["spec"]
    (rule,) = policy["matchConstraints"]["resourceRules"]
    held = {resource for group, resource, _ in ANALYZER if group == "" and "patch" in ANALYZER[group, resource, None]}
    assert set(rule["resources"]) == held - {"services", "pods", "events"} | {"secrets"}  # of those see detour-reach
    assert set(rule["operations"]) == {"CREATE", "UPDATE", "DELETE"}
    assert policy["failurePolicy"] == "Fail"


def test_everything_that_the_analyzer_writes_is_taken_from_the_leader_alone() -> None:
    rules = the("ValidatingAdmissionPolicy", "detour-leader", "policies/leader.yaml")["spec"]["matchConstraints"]
    fenced = {(group, kind) for r in rules["resourceRules"] for group in r["apiGroups"] for kind in r["resources"]}
    written = {(group, kind) for (group, kind, _), verbs in ANALYZER.items() if not {*verbs} <= {*READ, "opt-out"}}
    shared = {("admissionregistration.k8s.io", "mutatingwebhookconfigurations"), ("", "events")}
    asked = {("authorization.k8s.io", "subjectaccessreviews")}  # a question, of which nothing is stored
    assert written - fenced == shared | asked | {("events.k8s.io", "events")}
    assert fenced - written == {("", "secrets")}  # where the owner of a namespace allows it


def test_view_and_edit_join_the_roles_of_the_cluster() -> None:
    for name in ("view", "edit"):
        labels = the("ClusterRole", f"detour-{name}", "rbac/users.yaml")["metadata"]["labels"]
        assert labels == {f"rbac.authorization.k8s.io/aggregate-to-{name}": "true"}
