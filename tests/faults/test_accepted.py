"""What is read of a replica's writes in the audit log, from events that were made up."""

from collections import Counter
from typing import Any

from tests.faults.accepted import POD, Writes, sort

REFUSED = "deployments.apps is forbidden: pod host-a does not lead, Lease detour-analyzer names host-b"


def event(verb: str = "patch", resource: str = "deployments", code: int = 200, **changes: Any) -> dict[str, Any]:
    return {
        "stage": "ResponseComplete",
        "verb": verb,
        "user": {"username": "system:serviceaccount:detour:detour-analyzer", "extra": {POD: ["host-a"]}},
        "objectRef": {"resource": resource},
        "requestURI": "/apis/apps/v1/namespaces/shop/deployments/podinfo?fieldManager=detour",
        "responseStatus": {"code": code, "message": REFUSED if code == 403 else ""},
        "requestReceivedTimestamp": "2026-11-23T12:00:00.000000Z",
        **changes,
    }


def test_writes_are_sorted_by_whether_they_were_accepted() -> None:
    stored = event("update", objectRef={"resource": "canaries", "subresource": "status"})
    found = sort([event(), stored, event(code=403), event(code=409)], "host-a", 0)
    assert found == Writes(Counter({"deployments": 1, "canaries/status": 1}), fenced=1)


def test_another_pods_writes_reads_dry_runs_and_what_came_before_do_not_count() -> None:
    others = [
        event(user={"username": "system:serviceaccount:detour:detour-analyzer", "extra": {POD: ["host-b"]}}),
        event(user={"username": "kubernetes-admin"}),
        event("get"),
        event(requestURI="/apis/apps/v1/namespaces/shop/deployments/podinfo?dryRun=All"),
        event(resource="events"),
        event(resource="leases"),
        event(requestReceivedTimestamp="2020-01-01T00:00:00.000000Z"),
    ]
    assert sort(others, "host-a", 1_700_000_000) == Writes(Counter(), fenced=0)
