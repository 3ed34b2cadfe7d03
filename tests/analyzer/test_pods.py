"""The one sentence that says why pods are not ready. The states of containers are those that a real kubelet wrote."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from analyzer.pods import LONGEST, Ailment, ailment, selector
from tests.analyzer.ill import CRASHED, PROBE, pod
from tests.analyzer.things import START

Object = dict[str, Any]

NOW = START + timedelta(minutes=1)
RUNNING = {"running": {"startedAt": START.isoformat()}}
BACK_OFF = {
    "reason": "CrashLoopBackOff",
    "message": "back-off 10s restarting failed container=web pod=web-canary-7d4-x2x(d980634f-694b)",
}


def ready(**options: Any) -> Object:
    """One with nothing wrong."""
    found = pod(RUNNING, **options)
    found["status"]["conditions"] = [{"type": "Ready", "status": "True"}]
    return found


def waiting(reason: str, message: str = "") -> Object:
    return {"waiting": {"reason": reason, "message": message}}


def pending(message: str, reason: str = "Unschedulable") -> Object:
    found = pod()
    found["status"]["containerStatuses"] = []
    condition = {"type": "PodScheduled", "status": "False", "reason": reason, "message": message}
    found["status"]["conditions"] = [condition]
    return found


def said(*pods: Object, now: datetime = NOW) -> str:
    found = ailment(pods, now)
    return found.text if found else ""


PULL = 'failed to resolve reference "web:2": dial tcp 10.0.0.7:{port}->10.0.0.1:443: connect: network is unreachable'


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (pod(CRASHED), "container web crashes: it ended with exit code 2 (Error)"),
        (
            pod({"terminated": {"exitCode": 0, "reason": "Completed"}}),
            "container web crashes: it ended with exit code 0 (Completed)",
        ),
        (
            pod({"terminated": {"exitCode": 137, "reason": "OOMKilled"}}, resources={"limits": {"memory": "64Mi"}}),
            "container web was out of memory, its limit is 64Mi (OOMKilled)",
        ),
        (
            pod(
                waiting("RunContainerError"), {"terminated": {"exitCode": 128, "reason": "StartError", "message": "no"}}
            ),
            "container web cannot be started: no",
        ),
        (pod(waiting("InvalidImageName")), "container web has no image web:2: InvalidImageName"),
        (
            pod(waiting("CreateContainerConfigError", 'configmap "nope" not found')),
            'container web cannot be created: configmap "nope" not found',
        ),
        (pod(waiting("ContainerCreating")), "container web is still not created: the events of its pod say why"),
        (pod(RUNNING), "container web runs, but its readiness probe fails: GET /readyz on port http"),
        (
            pod(RUNNING, readinessProbe={"exec": {"command": ["secret"]}, "periodSeconds": 1}),
            "container web runs, but its readiness probe fails: its command",
        ),
        (
            pod(RUNNING, readinessProbe={"grpc": {"port": 9}, "periodSeconds": 1}),
            "container web runs, but its readiness probe fails: grpc on port 9",
        ),
        (
            pending(
                "0/9 nodes are available: 5 Insufficient cpu, 4 node(s) had untolerated taint {a: b}. preemption: no."
            ),
            "no node takes its pods: Insufficient cpu, node(s) had untolerated taint {a: b}",
        ),
        (pending("", "SchedulingGated"), "no node takes its pods: SchedulingGated"),
    ],
)
def test_a_pod_that_is_not_ready_says_why(found: Object, text: str) -> None:
    assert said(found) == text


def test_an_init_container_is_called_one_and_those_that_wait_for_it_say_nothing() -> None:
    found = pod(waiting("PodInitializing"))
    found["spec"]["initContainers"] = [{"name": "migrate", "image": "web:2"}]
    found["status"]["initContainerStatuses"] = [{"name": "migrate", "ready": False, "state": CRASHED, "lastState": {}}]
    assert said(found) == "init container migrate crashes: it ended with exit code 2 (Error)"
    found["status"]["initContainerStatuses"][0] |= {"ready": True, "state": {"terminated": {"exitCode": 0}}}
    assert said(found) == ""


def test_a_startup_probe_that_fails_is_named_as_such() -> None:
    slow = {**PROBE, "httpGet": {"path": "/startz", "port": 80}}
    found = pod(RUNNING, startupProbe=slow)
    found["status"]["containerStatuses"][0]["started"] = False
    assert said(found) == "container web runs, but its startup probe fails: GET /startz on port 80"


def test_the_sentence_is_the_same_through_every_round_of_a_crash_loop() -> None:
    rounds = [pod(CRASHED), pod({"waiting": BACK_OFF}, CRASHED), pod(RUNNING, CRASHED), pod(CRASHED, CRASHED)]
    assert len({said(one) for one in rounds}) == 1


def test_the_sentence_is_the_same_through_every_try_to_pull_an_image() -> None:
    first = pod(waiting("ErrImagePull", f'failed to pull and unpack image "web:2": {PULL.format(port=40123)}'))
    again = f'Back-off pulling image "web:2": ErrImagePull: {PULL.format(port=51234)}'
    later = pod(waiting("ImagePullBackOff", again))
    assert said(first) == said(later)
    assert said(first).startswith("container web has no image web:2: dial tcp")
    assert "network is unreachable" in said(first)


def test_how_many_nodes_have_which_reason_is_not_said() -> None:
    few = pending("0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable. preemption: 0/2")
    many = pending("0/9 nodes are available: 3 node(s) were unschedulable, 6 Insufficient cpu. preemption: 0/9")
    assert said(few) == said(many)


def test_what_a_container_said_itself_and_the_back_off_of_its_pod_are_not_repeated() -> None:
    assert "hunter2" not in said(pod({"waiting": BACK_OFF}, CRASHED))
    assert said(pod({"waiting": BACK_OFF})) == "container web crashes"


def test_what_takes_its_time_in_good_order_is_no_fault() -> None:
    for found in (pod(RUNNING), pod(waiting("ContainerCreating")), pod(waiting("PodInitializing")), pod()):
        assert said(found, now=START + timedelta(seconds=9)) == ""
    patient = pod(RUNNING, readinessProbe={**PROBE, "initialDelaySeconds": 58})
    assert said(patient) == ""
    assert said(patient, now=NOW + timedelta(seconds=1)) != ""


def test_pods_that_are_ready_or_end_or_have_an_older_template_say_nothing() -> None:
    ending = pod(CRASHED)
    ending["metadata"]["deletionTimestamp"] = NOW.isoformat()
    assert ailment([], NOW) is None
    assert ailment([ready(), ending], NOW) is None
    assert ailment([pod(CRASHED, template="old"), ready(made=5)], NOW) is None
    assert said(ready(template="old"), pod(CRASHED, made=5)) != ""


def test_the_most_telling_fault_comes_first_whatever_the_order() -> None:
    pods = [pod(RUNNING), pending("0/1 nodes are available: 1 Insufficient cpu."), pod(CRASHED)]
    assert said(*pods) == said(*reversed(pods)) == "container web crashes: it ended with exit code 2 (Error)"
    assert said(*pods[:2]) == "no node takes its pods: Insufficient cpu"


def test_only_a_container_that_ended_is_told_as_a_crash() -> None:
    assert ailment([pod(CRASHED)], NOW) == Ailment("container web crashes: it ended with exit code 2 (Error)", True)
    found = ailment([pod(waiting("ErrImagePull", "not found"))], NOW)
    assert found
    assert not found.crashed


def test_a_pod_that_was_evicted_says_for_what() -> None:
    found = pod()
    message = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 65536Ki."
    found["status"] |= {"phase": "Failed", "reason": "Evicted", "message": message}
    assert said(found) == "a pod ended: Evicted: The node was low on resource: memory"


def test_a_long_message_is_cut() -> None:
    assert len(said(pod(waiting("CreateContainerError", "x" * 5000)))) == LONGEST


def test_odd_pods_say_nothing_and_break_nothing() -> None:
    assert ailment([{"metadata": {}, "spec": {}}, {"metadata": {}, "spec": {}, "status": {}}], NOW) is None


def test_a_selector_is_written_as_a_list_request_wants_it() -> None:
    expressions = [
        {"key": "tier", "operator": "In", "values": ["a", "b"]},
        {"key": "old", "operator": "DoesNotExist"},
        {"key": "zone", "operator": "NotIn", "values": ["c"]},
        {"key": "new", "operator": "Exists"},
    ]
    asked = {"spec": {"selector": {"matchLabels": {"app": "web"}, "matchExpressions": expressions}}}
    assert selector(asked) == "app=web,tier in (a,b),!old,zone notin (c),new"
