"""What runs though nobody let it through is noticed; what came by a way of its own is not."""

import copy
from dataclasses import replace
from typing import Any

import pytest

from analyzer.status import Phase, Status
from analyzer.stored import from_object, to_object
from analyzer.unseen import REPLICA_SET, Running, complaint, is_known
from tests.analyzer.objects import deployment
from tests.analyzer.test_witness import NOW
from webhook import stash
from webhook.revision import RESTARTED_AT, digest


def running(image: str, number: int = 1, **notes: str) -> dict[str, Any]:
    found = copy.deepcopy(deployment())
    found["metadata"] |= {"uid": "u1", "annotations": {REPLICA_SET: str(number), **notes}}
    found["spec"]["template"]["spec"]["containers"][0]["image"] = image
    return found


V1, V2 = running("web:1"), running("web:2", 2)
ONE, TWO = (digest(found["spec"]["template"]) for found in (V1, V2))
SEEN = Status(phase=Phase.INITIALIZED, primary=Running.of(V1).encode())


def test_another_template_that_nobody_let_through_is_noticed() -> None:
    said = complaint(SEEN, V2, managed=True)
    assert said == f"changed past the webhook, which was not called: {TWO[:10]} runs without an analysis"


def test_whose_it_is_is_said_as_far_as_it_is_known() -> None:
    owns: dict[str, Any] = {"f:spec": {"f:template": {"f:spec": {}}}}
    books = [
        {"manager": "kubectl-create", "time": "2026-11-22T10:00:00Z", "fieldsV1": owns},
        {"manager": "kubectl-set", "time": "2026-11-22T11:00:00Z", "fieldsV1": owns},
        {"manager": "kube-controller-manager", "time": "2026-11-22T12:00:00Z", "fieldsV1": {"f:status": {}}},
    ]
    found = V2 | {"metadata": V2["metadata"] | {"managedFields": books}}
    assert "by kubectl-set runs without an analysis" in complaint(SEEN, found, managed=True)


@pytest.mark.parametrize(
    "status",
    [
        Status(phase=Phase.INITIALIZED),
        replace(SEEN, primary=Running.of(V2 | {"metadata": V2["metadata"] | {"uid": "u0"}}).encode()),
        replace(SEEN, primary=Running("u1", "1", TWO).encode()),
        replace(SEEN, phase=Phase.PROMOTING, revision=TWO),
        replace(SEEN, phase=Phase.SUCCEEDED, revision=TWO),
        replace(SEEN, phase=Phase.FAILED, revision="3" * 64, base=TWO),
        replace(SEEN, promoted=TWO),
    ],
)
def test_what_came_with_the_deployment_or_by_the_analyzer_is_in_order(status: Status) -> None:
    assert complaint(status, V2, managed=True) == ""


def test_what_was_rejected_is_not() -> None:
    assert complaint(replace(SEEN, phase=Phase.FAILED, revision=TWO), V2, managed=True)


def test_what_passed_before_and_a_restart_and_what_is_not_managed_are_in_order() -> None:
    assert complaint(SEEN, running("web:2", 2, **{stash.HISTORY: TWO}), managed=True) == ""
    restarted = running("web:1", 2)
    restarted["spec"]["template"]["metadata"]["annotations"] = {RESTARTED_AT: "now"}
    assert complaint(SEEN, restarted, managed=True) == ""
    assert complaint(SEEN, V2, managed=False) == ""


def test_only_another_replica_set_or_another_deployment_is_a_reason_to_look() -> None:
    """By metadata alone, which is all that is known at rest."""
    metadata = {"metadata": V1["metadata"]}
    assert is_known(SEEN, metadata)
    assert not is_known(SEEN, {"metadata": V2["metadata"]})
    assert not is_known(SEEN, {"metadata": V1["metadata"] | {"uid": "u0"}})
    assert not is_known(Status(), metadata)
    assert is_known(Status(), {"metadata": {"uid": "u1"}}), "its controller has not yet come to it"


def test_what_was_seen_is_stored_and_read_again() -> None:
    status = replace(SEEN, phase=Phase.INITIALIZED)
    assert from_object({"status": to_object(status, {}, NOW)}).primary == Running.of(V1).encode()
    assert Running.decode(status.primary) == Running("u1", "1", ONE)
