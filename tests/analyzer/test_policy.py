"""Which policy a Deployment falls under, and the Canary that it gets by it."""

from typing import Any

import pytest

from analyzer.fields import SpecError
from analyzer.policy import canary_by, check, default, is_by_policy, is_managed, policy_of
from analyzer.spec import parse
from webhook import stash

POLICY = {"metadata": {"name": "careful"}, "spec": {"analysis": {"interval": "10s", "threshold": 2, "stepWeight": 5}}}


def thing(policy: str | None = None) -> dict[str, Any]:
    """A Deployment or a Namespace with this label."""
    labels = {} if policy is None else {stash.POLICY: policy}
    return {"metadata": {"name": "podinfo", "namespace": "shop", "uid": "1", "labels": labels}}


@pytest.mark.parametrize(
    ("own", "around", "policy", "managed"),
    [
        (None, None, None, False),
        (None, "default", "default", True),
        ("careful", None, "careful", True),
        ("careful", "default", "careful", True),
        ("none", "default", None, False),
        ("careful", "none", "careful", True),
        (None, "none", None, False),
        ("canary", None, None, True),
        ("canary", "default", "default", True),
    ],
)
def test_the_label_of_the_deployment_wins_over_that_of_its_namespace(
    own: str | None, around: str | None, policy: str | None, managed: bool
) -> None:
    assert policy_of(thing(own), thing(around)) == policy
    assert is_managed(thing(own), thing(around)) is managed


def test_a_namespace_without_labels_gives_no_policy() -> None:
    assert policy_of({"metadata": {"name": "podinfo"}}, None) is None
    assert not is_managed({"metadata": {"name": "podinfo"}}, {"metadata": {"name": "shop"}})


def test_the_canary_of_a_policy_is_the_deployments_and_has_the_policys_spec() -> None:
    canary = canary_by(POLICY, thing("careful"))
    assert canary["metadata"]["labels"] == {"detour.dev/by-policy": "careful"}
    assert canary["metadata"]["ownerReferences"][0]["uid"] == "1"
    assert canary["spec"]["targetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo"}
    assert parse(canary).strategy.steps[:2] == (5, 10)
    assert is_by_policy(canary)


def test_a_canary_that_a_person_has_edited_is_that_persons() -> None:
    canary = canary_by(POLICY, thing())
    canary["spec"] = {**canary["spec"], "suspend": True}
    assert not is_by_policy(canary)
    assert not is_by_policy({"metadata": {"name": "podinfo"}, "spec": {}})


def test_the_default_policy_has_three_steps() -> None:
    assert parse(canary_by(default(), thing())).strategy.steps == (10, 25, 50)


def test_the_operator_may_say_what_the_default_policy_is() -> None:
    spec = {"analysis": {"interval": "10s", "threshold": 2, "stepWeight": 5}}
    check(spec)
    assert parse(canary_by(default(spec), thing())).interval == 10


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({}, "spec.analysis: it says nothing"),
        ({"analysis": {"stepWeights": [50, 10]}}, "spec.analysis.stepWeights: [50, 10] do not rise"),
        ({"analysis": {"stepWeight": 5, "metrics": [{"name": "luck"}]}}, "spec.analysis.metrics[luck].templateRef"),
        ({"analysis": {"stepWeight": 5}, "provider": "istio"}, "spec.provider: "),
    ],
)
def test_a_default_policy_that_no_canary_could_go_by_is_refused_by_its_field(spec: dict[str, Any], said: str) -> None:
    with pytest.raises(SpecError) as refused:
        check(spec)
    assert str(refused.value).startswith(said)
