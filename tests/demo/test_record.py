"""What the cluster did, put together from its objects."""

from typing import Any

from detour.demo.figures import Step
from detour.demo.record import Moment, Record, owner_of, unproven


def pod(name: str, version: str, phase: str = "Running") -> dict[str, Any]:
    owner = name.rpartition("-")[0]
    template = owner.rpartition("-")[2]
    return {
        "metadata": {
            "name": name,
            "labels": {"pod-template-hash": template},
            "ownerReferences": [{"kind": "ReplicaSet", "name": owner}],
        },
        "spec": {"containers": [{"image": f"ghcr.io/x/podinfo:{version}"}]},
        "status": {"phase": phase},
    }


def deployment(version: str, uid: str = "1") -> dict[str, Any]:
    spec = {"containers": [{"image": f"registry:5000/podinfo:{version}"}]}
    return {"metadata": {"uid": uid}, "spec": {"template": {"spec": spec}}}


def canary(weight: int, phase: str = "Progressing") -> dict[str, Any]:
    return {"status": {"phase": phase, "canaryWeight": weight}}


def test_a_trial_lasts_from_the_first_weight_to_the_return_to_0() -> None:
    record = Record()
    for at, weight in enumerate((0, 20, 40, 0, 0, 20)):
        record.on_canary(canary(weight), float(at))
    assert [(trial.begin, trial.end) for trial in record.trials] == [(1.0, 3.0), (5.0, None)]


def test_a_step_lasts_as_long_as_its_weight() -> None:
    record = Record()
    for at, weight in enumerate((0, 20, 20, 40, 0)):
        record.on_canary(canary(weight), float(at))
    assert record.steps == [Step(20, 1.0, 3.0), Step(40, 3.0, 4.0)]


def test_a_pod_belongs_to_the_deployment_of_its_replica_set_and_not_to_one_with_a_longer_name() -> None:
    assert owner_of(pod("podinfo-7d9f-abcde", "6.0.0")) == "podinfo"
    assert owner_of(pod("podinfo-canary-7d9f-abcde", "6.0.0")) == "podinfo-canary"
    assert owner_of({"metadata": {"name": "podinfo-7d9f-abcde"}}) == ""


def test_what_the_primary_ran_is_told_at_each_change_of_its_template_and_its_pods() -> None:
    record = Record()
    record.on_pod(pod("podinfo-a-1", "6.0.0"), False, 0.0)
    record.on_primary(deployment("6.0.0"), True, 1.0)
    record.on_primary(deployment("6.0.0"), True, 2.0)
    record.on_primary(deployment("6.0.1"), True, 3.0)
    record.on_pod(pod("podinfo-b-1", "6.0.1", "Pending"), False, 4.0)
    record.on_pod(pod("podinfo-b-1", "6.0.1"), False, 5.0)
    record.on_pod(pod("podinfo-a-1", "6.0.0"), True, 6.0)
    assert [(moment.at, moment.version, dict(moment.pods)) for moment in record.moments] == [
        (1.0, "6.0.0", {"6.0.0": 1}),
        (3.0, "6.0.1", {"6.0.0": 1}),
        (5.0, "6.0.1", {"6.0.0": 1, "6.0.1": 1}),
        (6.0, "6.0.1", {"6.0.1": 1}),
    ]


def test_the_canarys_pods_are_not_the_primarys() -> None:
    record = Record()
    record.on_primary(deployment("6.0.0"), True, 1.0)
    record.on_pod(pod("podinfo-canary-c-1", "6.0.1"), False, 2.0)
    assert len(record.moments) == 1


def test_each_canary_deployment_is_noted_once_when_it_appears() -> None:
    record = Record()
    record.on_canary_deployment(deployment("6.0.1", "1"), 1.0)
    record.on_canary_deployment(deployment("6.0.1", "1"), 2.0)
    record.on_canary_deployment(None, 3.0)
    record.on_canary_deployment(deployment("errors", "2"), 4.0)
    assert record.canaries == [1.0, 4.0]
    assert record.canary_version == "errors"


def test_a_template_that_no_analysis_passed_is_unproven_and_so_is_a_pod_of_one_never_seen() -> None:
    proven = Moment(1.0, "6.0.0", True, {"6.0.0": 2})
    assert unproven((proven,)) == ()
    assert unproven((proven, Moment(2.0, "errors", False, {"6.0.0": 2}))) == ("errors",)
    assert unproven((proven, Moment(2.0, "6.0.0", True, {"6.0.0": 1, "errors": 1}))) == ("errors",)


def test_a_version_that_ran_too_early_is_unproven_even_if_it_passed_later() -> None:
    early, later = Moment(1.0, "6.0.1", False, {}), Moment(9.0, "6.0.1", True, {"6.0.1": 2})
    assert unproven((early, later)) == ("6.0.1",)
