"""When a rollout is over, and in which words it is not."""

from typing import Any

import pytest

from analyzer.workload import available, replicas_for, settled, wanted_replicas


def rolled_out(replicas: int = 2, generation: int = 2, observed: int = 2, **status: Any) -> dict[str, Any]:
    status = {"replicas": replicas, "updatedReplicas": replicas, "availableReplicas": replicas} | status
    return {
        "metadata": {"name": "web", "generation": generation},
        "spec": {"replicas": replicas},
        "status": {"observedGeneration": observed, **status},
    }


def test_a_deployment_with_all_replicas_updated_and_available_is_settled() -> None:
    assert settled(rolled_out()).ready


def test_zeros_that_the_api_server_leaves_out_are_zeros() -> None:
    scaled_down = {**rolled_out(replicas=0), "status": {"observedGeneration": 2}}
    assert settled(scaled_down).ready
    starting = {**rolled_out(replicas=1), "status": {"observedGeneration": 2}}
    assert settled(starting).progress.endswith("0 out of 1 new replicas have been updated")


@pytest.mark.parametrize(
    ("deployment", "progress"),
    [
        (rolled_out(observed=1), "observed deployment generation less than desired generation"),
        (rolled_out(updatedReplicas=1), "1 out of 2 new replicas have been updated"),
        (rolled_out(availableReplicas=0), "0 of 2 (readyThreshold 100%) updated replicas are available"),
    ],
)
def test_what_is_waited_for_is_said_in_flaggers_words(deployment: dict[str, Any], progress: str) -> None:
    assert settled(deployment).progress == f"waiting for rollout to finish: {progress}"
    assert not settled(deployment).ready


def test_old_replicas_still_running_are_waited_for() -> None:
    deployment = rolled_out()
    deployment["status"]["replicas"] = 3
    assert settled(deployment).progress == "waiting for rollout to finish: 1 old replicas are pending termination"


def test_a_status_that_was_never_written_says_nothing() -> None:
    fresh = {"metadata": {"name": "web", "generation": 1}, "spec": {}}
    assert settled(fresh).progress.endswith("observed deployment generation less than desired generation")
    assert (available(fresh), wanted_replicas(fresh)) == (0, 1)


def test_a_deployment_that_has_given_up_is_told_apart_from_one_that_is_slow() -> None:
    condition = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    stuck = settled(rolled_out(availableReplicas=0, conditions=[{"type": "Available"}, condition]))
    assert (stuck.ready, stuck.deadline_exceeded) == (False, True)
    assert stuck.progress == 'deployment "web" exceeded its progress deadline'
    assert not settled(rolled_out(observed=1, conditions=[condition])).deadline_exceeded


@pytest.mark.parametrize(
    ("threshold", "available", "ready"),
    [(50, 100, True), (50, 99, False), (51, 101, False), (1, 1, False), (1, 2, True)],
)
def test_a_threshold_is_rounded_up_to_whole_replicas(threshold: int, available: int, ready: bool) -> None:
    assert settled(rolled_out(replicas=199, availableReplicas=available), threshold).ready is ready


@pytest.mark.parametrize(
    ("primary", "weight", "replicas"),
    [(2, 0, 1), (2, 50, 1), (2, 51, 2), (10, 5, 1), (10, 11, 2), (3, 100, 3), (300, 50, 150), (0, 50, 1)],
)
def test_replicas_follow_the_weight(primary: int, weight: int, replicas: int) -> None:
    assert replicas_for(primary, weight) == replicas


def test_pods_that_the_api_server_refuses_are_told_in_its_words_and_without_a_name_that_changes() -> None:
    message = 'pods "web-canary-7d4-x2x" is forbidden: exceeded quota: small, requested: pods=1, used: pods=1'
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}
    said = settled(rolled_out(updatedReplicas=1, conditions=[failure])).progress
    assert said.endswith(
        "1 out of 2 new replicas have been updated: exceeded quota: small, requested: pods=1, used: pods=1"
    )
