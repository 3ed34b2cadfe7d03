"""The guards around the decision: what is none of our business, what is refused, and what would not fit."""

import copy
import random
from typing import Any

import pytest

from tests.webhook.deployments import (
    after,
    changed,
    decide,
    deployment,
    labelled,
    shipped,
    stored,
    template,
)
from tests.webhook.model import ANALYZER
from webhook import stash
from webhook.decision import Kind
from webhook.revision import digest

V1, V2, V3 = template("podinfo:1"), template("podinfo:2"), template("podinfo:3")


@pytest.mark.parametrize("operation", ["DELETE", "CONNECT"])
def test_other_operations_are_let_through(operation: str) -> None:
    decision = decide(deployment(V2), deployment(V1), operation=operation)
    assert (decision.kind, decision.template, dict(decision.keys)) == (Kind.UNTOUCHED, None, {})


def test_a_subresource_is_let_through() -> None:
    decision = decide(deployment(V2), deployment(V1), subResource="scale")
    assert (decision.kind, decision.template) == (Kind.UNTOUCHED, None)


def test_a_deployment_that_is_being_deleted_is_let_through() -> None:
    old = deployment(V1)
    old["metadata"]["deletionTimestamp"] = "2026-11-22T12:00:00Z"
    assert decide(changed(old, V2), old).kind is Kind.UNTOUCHED


def test_a_created_deployment_brings_no_history_of_ours() -> None:
    promoted = after(after(shipped(deployment(V1), V2), "go", digest(V2)), "done", digest(V2))
    copied = labelled(promoted, state="rejected", revision="0123456789", policy="none")
    found = stored(copied, decide(copied, None))
    assert found["metadata"]["labels"] == {stash.POLICY: "none"}
    assert found["metadata"]["annotations"] == {}
    assert found["spec"]["template"] == V2


def test_a_canary_of_ours_is_never_diverted() -> None:
    canary = deployment(V1, labels={stash.CANARY_OF: "podinfo"})
    assert decide(changed(canary, V2), canary).kind is Kind.UNTOUCHED


def test_taking_on_the_label_of_a_canary_is_no_way_out() -> None:
    new = changed(deployment(V1), V2)
    new["metadata"]["labels"][stash.CANARY_OF] = "podinfo"
    assert stored(new, decide(new, deployment(V1)))["spec"]["template"] == V1


def test_opting_out_lets_everything_through_and_forgets() -> None:
    waiting = shipped(deployment(V1), V2)
    new = labelled(changed(waiting, V3), policy="none")
    decision = decide(new, waiting)
    assert "policy is none" in decision.warning
    found = stored(new, decision)
    assert found["spec"]["template"] == V3
    assert found["metadata"]["labels"] == {stash.POLICY: "none"}
    assert found["metadata"]["annotations"] == {stash.LET_PAST: "opted out by ann"}
    because = labelled(changed(waiting, **{stash.CHANGE_CAUSE: "INC-42"}), policy="none")
    told = stored(because, decide(because, waiting))["metadata"]["annotations"][stash.LET_PAST]
    assert told == "opted out by ann: INC-42"


def test_a_label_that_is_taken_away_still_counts_for_that_update() -> None:
    old = deployment(V1)
    new = labelled(changed(old, V2), policy=None)
    assert stored(new, decide(new, old))["spec"]["template"] == V1


def test_the_reserved_policy_is_put_back() -> None:
    old = deployment(V1, labels={stash.POLICY: "canary"})
    new = labelled(old, policy=None)
    decision = decide(new, old, "kubectl-replace")
    assert stored(new, decision) == old
    assert "opt out" in decision.warning
    assert stash.POLICY not in stored(new, decide(new, old, "detour", ANALYZER))["metadata"]["labels"]


def test_labels_that_the_selector_does_not_match_are_refused_in_the_words_of_the_api_server() -> None:
    pods = copy.deepcopy(V2)
    pods["metadata"]["labels"] = {"app": "other"}
    denial = decide(changed(deployment(V1), pods), deployment(V1)).denial
    assert denial is not None
    assert denial.code == 422
    assert denial.message == (
        'Deployment.apps "podinfo" is invalid: spec.template.metadata.labels: Invalid value: {"app":"other"}: '
        "`selector` does not match template `labels`"
    )


@pytest.mark.parametrize(
    ("expression", "matched"),
    [
        ({"key": "app", "operator": "In", "values": ["podinfo", "x"]}, True),
        ({"key": "app", "operator": "NotIn", "values": ["podinfo"]}, False),
        ({"key": "tier", "operator": "NotIn", "values": ["web"]}, True),
        ({"key": "app", "operator": "Exists"}, True),
        ({"key": "app", "operator": "DoesNotExist"}, False),
        ({"key": "app", "operator": "Fits"}, True),
    ],
)
def test_selectors_may_have_expressions(expression: dict[str, Any], matched: bool) -> None:
    old = deployment(V1, selector={"matchExpressions": [expression]})
    assert (decide(changed(old, V2), old).denial is None) is matched


def test_annotations_that_would_not_fit_are_refused_with_the_numbers() -> None:
    huge = template("podinfo:2", env=[{"name": "A", "value": random_text(300_000)}])
    denial = decide(changed(deployment(V1), huge), deployment(V1)).denial
    assert denial is not None
    assert denial.code == 413
    assert "262144" in denial.message
    assert "make it smaller" in denial.message


def random_text(length: int) -> str:
    return "".join(random.Random(7).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=length))


def test_a_large_template_that_compresses_is_kept() -> None:
    large = template("podinfo:2", env=[{"name": "A", "value": "x" * 200_000}])
    assert stash.diverted(shipped(deployment(V1), large)) == stash.Stash(large)


def test_a_stash_that_cannot_be_read_is_dropped() -> None:
    broken = changed(shipped(deployment(V1), V2), **{stash.TEMPLATE: "{nonsense"})
    found = stored(labelled(broken, team="x"), decide(labelled(broken, team="x"), broken))
    assert stash.diverted(found) is None
    assert stash.REVISION not in found["metadata"]["labels"]
    assert stash.diverted(shipped(broken, V3)) == stash.Stash(V3)


def test_the_analyzer_that_lets_a_deployment_go_leaves_nothing_of_ours_behind() -> None:
    waiting = labelled(shipped(deployment(V1), V2), policy="canary")
    new = copy.deepcopy(waiting)
    del new["metadata"]["labels"]["detour.dev/policy"]
    found = stored(new, decide(new, waiting, user=ANALYZER))
    assert not any(
        key.startswith("detour.dev/") for kind in ("labels", "annotations") for key in found["metadata"][kind]
    )
    assert found["spec"]["template"] == V1
