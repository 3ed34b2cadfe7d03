"""The platform, and whether an installation is at work."""

import json
from dataclasses import replace

import pytest

from detour.doctor.command import conclusion, table
from detour.doctor.finding import Level
from detour.doctor.look import _somewhere
from detour.doctor.platform import NEEDED, OURS, RECORDED
from detour.doctor.snapshot import Trial
from detour.doctor.verdict import diagnose, failed
from tests.detour.doctor.cluster import EMPTY, FIT, Object, detours, hook, judged, lease, said

OK, WARN, FAIL = Level.OK, Level.WARN, Level.FAIL


def test_a_cluster_with_detour_at_work_is_fit_without_a_warning() -> None:
    assert {each.level for each in diagnose(FIT)} == {OK}


def test_so_is_a_cluster_before_detour_comes_and_it_is_told_how() -> None:
    assert {each.level for each in diagnose(EMPTY)} == {OK}
    assert "kubectl apply -k manifests/" in said("installation", OK, EMPTY)


@pytest.mark.parametrize(
    ("version", "level"),
    [
        ("v1.36.3", OK),
        ("v1.37.0-rc.1", OK),
        ("v1.40.0-gke.100", OK),
        ("v1.35.9", WARN),
        ("v1.30.0", WARN),
        ("v1.29.14", FAIL),
        ("v1.9.0", FAIL),
        ("custom", WARN),
    ],
)
def test_the_version_is_judged_by_what_the_manifests_need(version: str, level: Level) -> None:
    said("Kubernetes", level, version=version)


def test_an_api_that_is_switched_off_is_named() -> None:
    kinds = FIT.kinds - {"admissionregistration.k8s.io/v1 validatingadmissionpolicies"}
    assert "validatingadmissionpolicies" in said("API", FAIL, kinds=kinds)


def test_without_mutating_admission_policies_only_the_record_of_bypasses_is_missing() -> None:
    assert "bypasses are not told" in said("API", WARN, kinds=FIT.kinds - {RECORDED})


def test_definitions_that_are_gone_are_named_once_detour_is_installed() -> None:
    assert "canarypolicies" in said("definitions", FAIL, kinds=frozenset((*NEEDED, RECORDED, *OURS[1:])))
    assert judged("definitions", EMPTY, kinds=frozenset((*NEEDED, RECORDED))) == []


def test_who_may_not_install_cannot_before_and_need_not_afterwards() -> None:
    lacking = ("create clusterroles.rbac.authorization.k8s.io",)
    assert "create clusterroles" in said("your rights", FAIL, EMPTY, lacking=lacking)
    said("your rights", WARN, lacking=lacking)


def test_a_right_that_the_analyzer_lacks_is_a_failure() -> None:
    assert "patch deployments.apps" in said("analyzer's rights", FAIL, analyzer_lacks=("patch deployments.apps",))


def test_what_may_not_be_read_is_said_and_the_rest_is_judged() -> None:
    assert "nodes is forbidden" in said("reading", WARN, unread={"nodes": "nodes is forbidden"})


@pytest.mark.parametrize(
    ("replicas", "available", "level"), [(2, 2, OK), (3, 3, OK), (1, 1, WARN), (2, 1, WARN), (2, 0, FAIL), (0, 0, FAIL)]
)
def test_replicas(replicas: int, available: int, level: Level) -> None:
    said("replicas", level, workloads=(detours(replicas, available),))


def test_parts_of_an_installation_are_no_installation() -> None:
    assert "nothing is diverted" in said("webhook", FAIL, hooks=())
    assert "no Deployment detour" in said("replicas", FAIL, workloads=())


def test_a_webhook_that_lets_past_while_it_is_down_is_pointed_out() -> None:
    said("webhook", WARN, hooks=(hook("zz-detour", "Ignore"),))


@pytest.mark.parametrize(("age", "level"), [(1.0, OK), (11.0, OK), (13.0, FAIL), (3600.0, FAIL)])
def test_a_leader_renews_its_lease(age: float, level: Level) -> None:
    said("leader", level, lease=lease(age))


def test_without_a_lease_nobody_leads() -> None:
    assert "canaries stand still" in said("leader", FAIL, lease=None)
    said("leader", FAIL, lease={"spec": {}})


def test_a_certificate_that_is_refused_is_the_failure_of_that_replica() -> None:
    found = judged("certificates", refused={"detour-1": "", "detour-2": "certificate has expired"})
    assert [each.found for each in found] == ["the API server refuses detour-2: certificate has expired"]
    assert failed(found)


def test_the_way_to_the_webhook_is_tried() -> None:
    blocked = 'failed calling webhook "divert-object.detour.dev": context deadline exceeded'
    assert "8443" in said("diversion", FAIL, trial=Trial("default", called=False, problem=blocked))
    assert "is not called" in said("diversion", FAIL, trial=Trial("default", called=False))


def test_what_others_refuse_says_nothing_about_the_webhook() -> None:
    assert "owner" in said("diversion", WARN, trial=Trial("default", called=False, problem="label owner is required"))


def test_an_egress_policy_beside_detour_is_pointed_out() -> None:
    shut = {"metadata": {"name": "deny-all"}, "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}}
    assert "deny-all" in said("network", WARN, network_policies=(shut,))
    own = {"metadata": {"name": "detour"}, "spec": {"policyTypes": ["Ingress"]}}
    assert judged("network", network_policies=(own,)) == []


def test_the_last_line_counts_and_the_table_has_every_finding() -> None:
    findings = diagnose(FIT)
    assert conclusion(findings) == f"Fit for Detour: {len(findings)} checks, 0 warnings."
    assert table(findings).row_count == len(findings)
    worse = (*findings, *judged("leader", lease=None), *judged("webhook", hooks=(hook("zz-detour", "Ignore"),)))
    assert conclusion(worse).startswith(f"Not fit for Detour: 1 of {len(worse)} checks failed, 1 warning")
    assert json.loads(json.dumps([each.as_json() for each in worse]))[-1]["level"] == "warn"


@pytest.mark.parametrize(
    ("excluded", "tried"),
    [(("kube-system", "detour"), "default"), (("kube-system", "detour", "default"), "shop")],
)
def test_it_is_tried_where_the_webhook_is_called(excluded: tuple[str, ...], tried: str) -> None:
    key = "kubernetes.io/metadata.name"
    selector = {"matchExpressions": [{"key": key, "operator": "NotIn", "values": list(excluded)}]}
    configuration = hook("zz-detour")
    configuration["webhooks"] = [{"name": "divert-object.detour.dev", "namespaceSelector": selector}]
    spaces = [{"metadata": {"name": name, "labels": {key: name}}} for name in ("kube-system", "default", "shop")]
    going: Object = {"metadata": {"name": "a", "labels": {key: "a"}, "deletionTimestamp": "2026-11-23T12:00:00Z"}}
    assert _somewhere(replace(FIT, hooks=(configuration,), namespaces=(going, *spaces))) == tried
