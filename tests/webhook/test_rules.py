"""The rules of the decision, one by one."""

import copy
import random
from typing import Any

import pytest

from tests.webhook.deployments import (
    APPLIED,
    SETTINGS,
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
from webhook.decision import Kind, Settings
from webhook.revision import RESTARTED_AT, canonical, digest, short

V1, V2, V3 = template("podinfo:1"), template("podinfo:2"), template("podinfo:3")


def proven() -> dict[str, Any]:
    """Version 2, promoted to the end, after version 1."""
    waiting = shipped(deployment(V1), V2)
    return after(after(waiting, "go", digest(V2)), "done", digest(V2))


def test_a_changed_template_waits_and_the_primary_keeps_its_own() -> None:
    waiting = shipped(deployment(V1), V2)
    assert waiting["spec"]["template"] == V1
    assert stash.diverted(waiting) == stash.Stash(V2)
    assert waiting["metadata"]["labels"][stash.REVISION] == short(digest(V2))
    assert stash.diverted_by(waiting) == stash.Author("ann", "kubectl-set")


def test_the_warning_says_what_to_type_next() -> None:
    decision = decide(changed(deployment(V1), V2), deployment(V1))
    revision = short(digest(V2))
    assert decision.warning == (
        f"podinfo: revision {revision} runs as a canary first; watch: kubectl -n shop get canary podinfo -w"
    )


def test_what_else_is_in_the_request_goes_through_at_once() -> None:
    new = changed(deployment(V1), V2, team="shop")
    new["spec"]["replicas"] = 5
    found = stored(new, decide(new, deployment(V1)))
    assert found["spec"]["replicas"] == 5
    assert found["metadata"]["annotations"]["team"] == "shop"


def test_a_newer_revision_supersedes_the_older_one() -> None:
    waiting = shipped(deployment(V1), V2)
    decision = decide(changed(waiting, V3), waiting)
    assert f"replaces {short(digest(V2))}" in decision.warning
    assert stash.diverted(stored(changed(waiting, V3), decision)) == stash.Stash(V3)


def test_the_same_template_again_changes_not_a_byte() -> None:
    waiting = shipped(deployment(V1), V2)
    decision = decide(changed(waiting, V2), waiting)
    assert decision.kind is Kind.UNCHANGED
    assert stored(changed(waiting, V2), decision) == waiting


def test_a_rejected_template_again_names_the_way_to_retry_it() -> None:
    rejected = labelled(shipped(deployment(V1), V2), state="rejected")
    decision = decide(changed(rejected, V2), rejected)
    assert "kubectl detour retry podinfo -n shop" in decision.warning
    assert stored(changed(rejected, V2), decision) == rejected


def test_what_differs_from_a_rejected_template_is_a_new_revision() -> None:
    rejected = labelled(shipped(deployment(V1), V2), state="rejected")
    found = shipped(rejected, V3)
    assert stash.diverted(found) == stash.Stash(V3)
    assert stash.STATE not in found["metadata"]["labels"]


def test_a_restart_keeps_what_was_rejected_in_mind() -> None:
    rejected = labelled(shipped(deployment(V1), V2), state="rejected")
    found = shipped(rejected, restarted(V1), "kubectl-rollout")
    waiting = stash.diverted(found)
    assert waiting is not None
    assert waiting.digest == digest(V2)
    assert found["metadata"]["labels"][stash.STATE] == "rejected"


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
    copied = labelled(proven(), state="rejected", revision="0123456789", policy="none")
    found = stored(copied, decide(copied, None))
    assert found["metadata"]["labels"] == {stash.POLICY: "none"}
    assert found["metadata"]["annotations"] == {}
    assert found["spec"]["template"] == V2


def test_a_canary_of_ours_is_never_diverted() -> None:
    canary = deployment(V1, labels={stash.CANARY_OF: "podinfo"})
    assert decide(changed(canary, V2), canary).kind is Kind.UNTOUCHED


def test_opting_out_lets_everything_through_and_forgets() -> None:
    waiting = shipped(deployment(V1), V2)
    new = labelled(changed(waiting, V3), policy="none")
    decision = decide(new, waiting)
    assert "policy is none" in decision.warning
    found = stored(new, decision)
    assert found["spec"]["template"] == V3
    assert found["metadata"]["labels"] == {stash.POLICY: "none"}
    assert found["metadata"]["annotations"] == {}


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


def test_the_old_manifest_again_cancels_the_canary() -> None:
    old = deployment(V1, annotations={APPLIED: applied(V1)})
    waiting = shipped(old, V2, "kubectl-client-side-apply", **{APPLIED: applied(V2)})
    new = changed(waiting, **{APPLIED: applied(V1)})
    decision = decide(new, waiting, "kubectl-client-side-apply")
    assert decision.kind is Kind.CANCELLED
    assert f"canary {short(digest(V2))} cancelled" in decision.warning
    found = stored(new, decision)
    assert found == old


def test_a_replace_by_the_old_manifest_cancels_the_canary() -> None:
    waiting = shipped(deployment(V1), V2)
    decision = decide(deployment(V1), waiting, "kubectl-replace")
    assert decision.kind is Kind.CANCELLED
    assert stash.diverted(stored(deployment(V1), decision)) is None


def test_an_edit_of_a_label_cancels_nothing_and_says_nothing() -> None:
    waiting = shipped(deployment(V1), V2)
    new = labelled(waiting, team="shop")
    decision = decide(new, waiting, "kubectl-label")
    assert (decision.kind, decision.warning) == (Kind.UNCHANGED, "")
    assert stash.diverted(stored(new, decision)) == stash.Stash(V2)


def test_an_undo_during_a_canary_cancels_it_and_the_primary_stays() -> None:
    waiting = shipped(proven(), V3)
    new = changed(waiting, V1)
    new["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": "4"}
    decision = decide(new, waiting, manager="")
    assert "to go further back: kubectl -n shop rollout undo deploy/podinfo" in decision.warning
    found = stored(new, decision)
    assert found["spec"]["template"] == V2
    assert stash.diverted(found) is None
    assert stash.history(found) == (digest(V1), digest(V2))


def test_an_undo_without_a_canary_goes_to_a_proven_revision_at_once() -> None:
    new = changed(proven(), V1)
    new["metadata"]["annotations"] = {}
    decision = decide(new, proven(), manager="")
    assert decision.kind is Kind.PROVEN
    found = stored(new, decision)
    assert found["spec"]["template"] == V1
    assert stash.history(found) == (digest(V1), digest(V2))


def test_an_undo_to_an_unproven_revision_takes_the_detour() -> None:
    waiting = shipped(deployment(V1), V2)
    new = changed(waiting, V3)
    new["metadata"]["annotations"] = {}
    found = stored(new, decide(new, waiting, manager=""))
    assert found["spec"]["template"] == V1
    assert stash.diverted(found) == stash.Stash(V3)


def test_the_careful_send_a_rollback_through_a_canary() -> None:
    careful = Settings(ANALYZER, rollback="canary")
    assert decide(changed(proven(), V1), proven(), settings=careful).kind is Kind.DIVERTED


def restarted(pods: dict[str, Any]) -> dict[str, Any]:
    stamped = copy.deepcopy(pods)
    stamped["metadata"].setdefault("annotations", {})[RESTARTED_AT] = "2026-11-22T12:00:00Z"
    return stamped


def test_a_restart_restarts_the_primary_at_once() -> None:
    decision = decide(changed(deployment(V1), restarted(V1)), deployment(V1), "kubectl-rollout")
    assert decision.kind is Kind.RESTARTED
    assert stored(changed(deployment(V1), restarted(V1)), decision)["spec"]["template"] == restarted(V1)


def test_a_restart_during_a_canary_restarts_both_and_no_analysis() -> None:
    found = shipped(shipped(deployment(V1), V2), restarted(V1), "kubectl-rollout")
    assert found["spec"]["template"] == restarted(V1)
    assert stash.diverted(found) == stash.Stash(restarted(V2))
    assert found["metadata"]["labels"][stash.REVISION] == short(digest(V2))


def test_the_careful_send_a_restart_through_a_canary() -> None:
    careful = Settings(ANALYZER, restart="canary")
    decision = decide(changed(deployment(V1), restarted(V1)), deployment(V1), settings=careful)
    assert decision.kind is Kind.DIVERTED


def test_settings_name_the_field_that_is_wrong() -> None:
    with pytest.raises(ValueError, match="rollback must be direct or canary, not 'never'"):
        Settings(ANALYZER, rollback="never")


def applied(pods: dict[str, Any]) -> str:
    return canonical({"spec": {"template": pods}})


def test_a_change_cause_waits_with_its_template() -> None:
    old = deployment(V1, annotations={stash.CHANGE_CAUSE: "first"})
    waiting = shipped(old, V2, **{stash.CHANGE_CAUSE: "second"})
    assert waiting["metadata"]["annotations"][stash.CHANGE_CAUSE] == "first"
    running = after(waiting, "go", digest(V2))
    assert running["metadata"]["annotations"][stash.CHANGE_CAUSE] == "second"
    back = after(running, "back", digest(V2))
    assert back["metadata"]["annotations"][stash.CHANGE_CAUSE] == "first"
    assert stash.diverted(back) == stash.Stash(V2, "second")


def test_the_same_change_cause_again_changes_not_a_byte() -> None:
    old = deployment(V1, annotations={stash.CHANGE_CAUSE: "first"})
    waiting = shipped(old, V2, **{stash.CHANGE_CAUSE: "second"})
    assert shipped(waiting, V2, **{stash.CHANGE_CAUSE: "second"}) == waiting


def test_a_change_cause_by_itself_is_left_alone() -> None:
    waiting = shipped(deployment(V1), V2)
    new = changed(waiting, **{stash.CHANGE_CAUSE: "why not"})
    assert stored(new, decide(new, waiting, "kubectl-annotate")) == new


def test_annotations_that_would_not_fit_are_refused_with_the_numbers() -> None:
    huge = template("podinfo:2", env=[{"name": "A", "value": random_text(300_000)}])
    denial = decide(changed(deployment(V1), huge), deployment(V1), settings=SETTINGS).denial
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
