"""Updates that are let through without a canary, and say why."""

from typing import Any

import pytest

from tests.webhook.deployments import changed, decide, deployment, shipped, stored, template
from webhook import stash
from webhook.decision import Decision, Kind

V1, V2, V3 = template("podinfo:1"), template("podinfo:2"), template("podinfo:3")
UNLABELLED: dict[str, str] = {}


def down(since: str, **status: Any) -> dict[str, Any]:
    old = deployment(V1)
    condition = {"type": "Available", "status": "False", "lastTransitionTime": since}
    old["status"] = {"conditions": [condition], **status}
    return old


def reason(decision: Decision) -> str:
    return decision.warning if decision.kind is Kind.DIRECT else ""


def test_nothing_wanted_nothing_to_protect() -> None:
    new = changed(deployment(V1, replicas=0), V2)
    decision = decide(new, deployment(V1, replicas=0))
    assert reason(decision) == (
        "podinfo: changed at once, 0 replicas are wanted; watch: kubectl -n shop rollout status deploy/podinfo"
    )
    assert stored(new, decision) == changed(new, **{stash.LET_PAST: "changed directly by ann: 0 replicas are wanted"})


def test_a_primary_that_is_down_for_a_minute_gets_its_fix() -> None:
    old = down("2026-11-22T11:59:00Z")
    assert "no replica was available for 60 s" in reason(decide(changed(old, V2), old))


@pytest.mark.parametrize(
    "old",
    [
        down("2026-11-22T11:59:01Z"),
        down("2026-11-22T11:00:00Z", availableReplicas=1),
        down("yesterday"),
        down("2026-11-22T11:00:00"),
        deployment(V1),
    ],
    ids=["a blip", "some are available", "no time", "no zone", "healthy"],
)
def test_a_blip_does_not_open_the_door(old: dict[str, Any]) -> None:
    assert decide(changed(old, V2), old).kind is Kind.DIVERTED


def test_a_rollout_that_is_stuck_gets_its_fix_and_ends_what_was_in_flight() -> None:
    old = shipped(deployment(V1), V2)
    condition = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    old["status"] = {"availableReplicas": 1, "conditions": [condition]}
    new = changed(old, V3)
    decision = decide(new, old)
    assert "its rollout exceeded the progress deadline" in reason(decision)
    found = stored(new, decision)
    assert found["spec"]["template"] == V3
    assert found["metadata"].pop("annotations").keys() == {stash.LET_PAST}
    assert found["metadata"] == deployment(V1)["metadata"]


def claim(read_only: bool, mounted_read_only: bool) -> dict[str, Any]:
    pods = template("podinfo:2", volumeMounts=[{"name": "data", "mountPath": "/d", "readOnly": mounted_read_only}])
    source = {"claimName": "data", "readOnly": read_only}
    pods["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": source}]
    return pods


def host_network() -> dict[str, Any]:
    pods = template("podinfo:2")
    pods["spec"]["hostNetwork"] = True
    return pods


@pytest.mark.parametrize(
    ("pods", "why"),
    [
        (template("podinfo:2", ports=[{"containerPort": 80, "hostPort": 8080}]), "it takes host port 8080"),
        (claim(read_only=False, mounted_read_only=False), "it writes to claim data"),
        (host_network(), "it uses the host's network"),
    ],
)
def test_what_cannot_run_twice_is_changed_at_once(pods: dict[str, Any], why: str) -> None:
    old = deployment(V1, labels=UNLABELLED)
    assert why in reason(decide(changed(old, pods), old))


@pytest.mark.parametrize("pods", [claim(read_only=True, mounted_read_only=False), claim(False, mounted_read_only=True)])
def test_a_claim_that_is_only_read_may_be_read_twice(pods: dict[str, Any]) -> None:
    old = deployment(V1, labels=UNLABELLED)
    assert decide(changed(old, pods), old).kind is Kind.DIVERTED


def test_a_deployment_that_is_recreated_is_changed_at_once() -> None:
    old = deployment(V1, labels=UNLABELLED, strategy={"type": "Recreate"})
    assert reason(decide(changed(old, V2), old)) == (
        "podinfo: no canary, its strategy is Recreate; insist: "
        "kubectl -n shop label deploy/podinfo detour.dev/policy=default"
    )


def test_what_a_controller_owns_is_its_own_business() -> None:
    old = deployment(V1, labels=UNLABELLED)
    old["metadata"]["ownerReferences"] = [
        {"kind": "Team", "name": "shop"},
        {"kind": "Redis", "name": "cache", "controller": True},
    ]
    assert "Redis cache controls it" in reason(decide(changed(old, V2), old))


@pytest.mark.parametrize("policy", ["default", "canary"])
def test_a_deployment_that_opted_in_by_itself_is_taken_at_its_word(policy: str) -> None:
    old = deployment(V1, labels={stash.POLICY: policy}, strategy={"type": "Recreate"})
    assert decide(changed(old, V2), old).kind is Kind.DIVERTED


def test_one_request_brings_no_template_together_with_the_reason_to_let_it_through() -> None:
    old = deployment(V1, labels=UNLABELLED)
    recreated, owned = changed(old, V2), changed(old, V2)
    recreated["spec"]["strategy"] = {"type": "Recreate"}
    owned["metadata"]["ownerReferences"] = [{"kind": "ConfigMap", "name": "boss", "controller": True}]
    for new in (recreated, owned):
        assert decide(new, old).kind is Kind.DIVERTED


def test_a_deadline_that_was_exceeded_while_every_replica_serves_opens_no_door() -> None:
    old = deployment(V1)
    condition = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    old["status"] = {"availableReplicas": 2, "conditions": [condition]}
    assert decide(changed(old, V2), old).kind is Kind.DIVERTED
