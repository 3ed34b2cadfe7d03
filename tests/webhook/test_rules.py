"""The rules of the decision, one by one."""

import copy
from typing import Any

import pytest

from tests.webhook.deployments import (
    APPLIED,
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
        f"podinfo: revision {revision} runs as a canary first; watch: kubectl -n shop get canary -w"
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


def test_the_same_template_with_another_restart_is_no_new_revision() -> None:
    waiting = labelled(shipped(deployment(V1), V2), state="analysing")
    file = deployment(restarted(V2))
    decision = decide(file, waiting, "kubectl-replace")
    assert decision.kind is Kind.UNCHANGED
    assert stored(file, decision) == waiting


def test_a_rejected_template_again_names_the_way_to_retry_it() -> None:
    rejected = labelled(shipped(deployment(V1), V2), state="rejected")
    decision = decide(changed(rejected, V2), rejected)
    assert "kubectl detour retry podinfo -n shop" in decision.warning
    assert stored(changed(rejected, V2), decision) == rejected


def test_a_rejected_manifest_applied_again_is_still_rejected() -> None:
    old = deployment(V1, annotations={APPLIED: applied(V1)})
    rejected = labelled(shipped(old, V2, "kubectl-client-side-apply", **{APPLIED: applied(V2)}), state="rejected")
    decision = decide(changed(rejected, V2), rejected, "kubectl-client-side-apply")
    assert "was rejected" in decision.warning
    assert stored(changed(rejected, V2), decision) == rejected


def test_what_differs_from_a_rejected_template_is_a_new_revision() -> None:
    rejected = labelled(shipped(deployment(V1), V2), state="rejected")
    found = shipped(rejected, V3)
    assert stash.diverted(found) == stash.Stash(V3)
    assert stash.STATE not in found["metadata"]["labels"]


def test_who_keeps_no_books_starts_from_the_primary_after_a_rejection() -> None:
    rejected = labelled(shipped(deployment(V1), V2), state="rejected")
    tuned = template("podinfo:1", env=[{"name": "A", "value": "1"}])
    assert stash.diverted(shipped(rejected, tuned)) == stash.Stash(tuned)


def test_a_restart_keeps_what_was_rejected_in_mind() -> None:
    rejected = labelled(shipped(deployment(V1), V2), state="rejected")
    found = shipped(rejected, restarted(V1), "kubectl-rollout")
    waiting = stash.diverted(found)
    assert waiting is not None
    assert waiting.digest == digest(V2)
    assert found["metadata"]["labels"][stash.STATE] == "rejected"


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


def test_an_undo_during_the_first_canary_cancels_it_too_though_nothing_was_proven_here_before() -> None:
    adopted = deployment(V2)
    adopted["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": "2"}
    waiting = shipped(adopted, V3)
    new = changed(waiting, V1)
    new["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": "2"}
    decision = decide(new, waiting, manager="")
    assert decision.kind is Kind.CANCELLED
    assert stored(new, decision)["spec"]["template"] == V2


def test_an_undo_without_a_canary_goes_to_a_proven_revision_at_once() -> None:
    new = changed(proven(), V1)
    new["metadata"]["annotations"] = {}
    decision = decide(new, proven(), manager="")
    assert decision.kind is Kind.PROVEN
    found = stored(new, decision)
    assert found["spec"]["template"] == V1
    assert stash.history(found) == (digest(V1), digest(V2))


def test_an_undo_after_a_rejection_goes_to_a_proven_revision_at_once() -> None:
    rejected = labelled(shipped(proven(), V3), state="rejected")
    new = changed(rejected, V1)
    new["metadata"]["annotations"] = {}
    assert decide(new, rejected, manager="").kind is Kind.PROVEN


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
