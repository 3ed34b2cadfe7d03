"""Counting in the audit log: each request once, for whom it was, and whatever the log looks like."""

import json
import os
from pathlib import Path
from typing import Any

from tests.bench import audit
from tests.bench.audit import Request

USER = "system:serviceaccount:detour:detour-analyzer"
NOON = audit.seconds("2026-11-22T12:00:00.000000Z")


def event(number: int = 1, at: float = 0, resource: str = "deployments", **other: Any) -> dict[str, Any]:
    """A stage of request `number`, received `at` seconds after noon."""
    object_ = {"resource": resource, "namespace": other.pop("namespace", "shop"), "name": "podinfo"}
    if subresource := other.pop("subresource", None):
        object_["subresource"] = subresource
    return {
        "auditID": f"id-{number}",
        "stage": other.pop("stage", "ResponseComplete"),
        "requestURI": other.pop("uri", "/apis/apps/v1/namespaces/shop/deployments/podinfo?fieldManager=detour"),
        "verb": other.pop("verb", "patch"),
        "user": {"username": other.pop("user", USER)},
        "objectRef": object_,
        "responseStatus": {"code": 200},
        "requestReceivedTimestamp": f"2026-11-22T12:{int(at // 60):02}:{at % 60:09.6f}Z",
        **other,
    }


def lines(*events: dict[str, Any]) -> list[str]:
    return [json.dumps(each, separators=(",", ":")) + "\n" for each in events]


def parsed(*events: dict[str, Any]) -> list[Request]:
    return list(audit.parse(lines(*events), USER))


def test_a_request_is_read_with_its_time_its_verb_and_what_it_is_for() -> None:
    [request] = parsed(event(at=61.5, resource="canaries", subresource="status", verb="update"))
    assert (request.at, request.verb, request.resource) == (NOON + 61.5, "update", "canaries/status")
    assert (request.namespace, request.name, request.code) == ("shop", "podinfo", 200)


def test_a_request_for_no_resource_is_known_by_its_path() -> None:
    [request] = parsed(event(objectRef=None, uri="/version?timeout=32s", verb="get"))
    assert (request.verb, request.resource, request.namespace) == ("get", "/version", "")


def test_a_watch_is_one_request_though_its_beginning_and_its_end_are_recorded() -> None:
    stages = [event(1, verb="watch", stage=stage) for stage in ("ResponseStarted", "ResponseComplete")]
    assert len(parsed(*stages, event(2))) == 2


def test_the_requests_of_others_are_not_counted_whatever_they_are_about() -> None:
    other = event(1, user="kubernetes-admin", uri=f"/apis?labelSelector=%22username%22:%22{USER}%22")
    named = event(2, user="kubernetes-admin", annotations={"username": USER})
    assert parsed(other, named) == []


def test_a_line_that_is_still_being_written_is_left_for_later() -> None:
    [whole] = lines(event())
    assert list(audit.parse([whole[:-20]], USER)) == []
    assert list(audit.parse([whole.rstrip("\n")], USER)) == []


def test_only_requests_received_in_the_window_are_read(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    log.write_text("".join(lines(event(1, 9.999), event(2, 10), event(3, 19.999), event(4, 20))))
    found = audit.read(log, USER, NOON + 10, NOON + 20)
    assert [request.audit_id for request in found] == ["id-2", "id-3"]


def test_the_log_may_be_rotated_in_the_middle_of_a_run(tmp_path: Path) -> None:
    log, rotated, ancient = (tmp_path / f"audit{suffix}.log" for suffix in ("", "-2026-11-22T12-00-10.000", "-old"))
    ancient.write_text("".join(lines(event(9, 5))))
    os.utime(ancient, (NOON - 60, NOON - 60))
    rotated.write_text("".join(lines(event(1, 5), event(2, 10, verb="watch", stage="ResponseStarted"))))
    log.write_text("".join(lines(event(2, 10, verb="watch"), event(3, 15))))
    found = audit.read(log, USER, NOON, NOON + 60)
    assert [request.audit_id for request in found] == ["id-1", "id-2", "id-3"]


def test_the_lease_and_what_concerns_others_is_set_aside_and_named() -> None:
    found = audit.spent(
        parsed(
            event(1),
            event(2),
            event(3, resource="leases", namespace="detour"),
            event(4, namespace="another"),
            event(5, resource="canaries", namespace="", verb="watch"),
            event(6, resource="events", verb="create"),
            event(7, resource="secrets", namespace="detour", verb="get"),
        ),
        "shop",
    )
    assert (len(found), found.lease, found.elsewhere) == (5, 1, 1)
    assert found.kinds == [("patch deployments", 2), ("watch canaries", 1), ("create events", 1), ("get secrets", 1)]
    assert (len(found.asked), len(found.reopened)) == (4, 1)
