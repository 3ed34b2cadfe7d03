"""With `enforce` nothing goes directly: what would is marked for the analyzer, which promotes it at once."""

from typing import Any

import pytest

from tests.webhook.deployments import after, changed, decide, deployment, shipped, stored, template
from tests.webhook.model import ANALYZER
from webhook import stash
from webhook.decision import Kind, Settings
from webhook.revision import RESTARTED_AT, digest

V1, V2, V3 = template("podinfo:1"), template("podinfo:2"), template("podinfo:3")
STRICT = Settings(ANALYZER, enforce=True)


def proven() -> dict[str, Any]:
    """Version 2, promoted to the end, after version 1."""
    return after(after(shipped(deployment(V1), V2), "go", digest(V2)), "done", digest(V2))


@pytest.mark.parametrize(
    ("old", "pods", "reason"),
    [
        (deployment(V1, replicas=0), V2, "0 replicas are wanted"),
        (proven(), V1, "it is proven"),
        (deployment(V1, labels={}, strategy={"type": "Recreate"}), V2, "its strategy is Recreate"),
    ],
)
def test_what_would_go_directly_waits_for_the_analyzer_with_its_reason(
    old: dict[str, Any], pods: dict[str, Any], reason: str
) -> None:
    decision = decide(changed(old, pods), old, settings=STRICT)
    assert f"is promoted at once, {reason}" in decision.warning
    found = stored(changed(old, pods), decision)
    assert found["spec"]["template"] == old["spec"]["template"]
    assert stash.at_once(found, digest(pods)) == reason
    assert stash.at_once(found, digest(V3)) == ""


@pytest.mark.parametrize(
    ("old", "pods"),
    [
        (deployment(V1, replicas=0), V2),
        (proven(), V1),
        (deployment(V1, labels={}, strategy={"type": "Recreate"}), V2),
    ],
)
def test_a_second_call_about_the_same_request_keeps_the_reason(old: dict[str, Any], pods: dict[str, Any]) -> None:
    first = stored(changed(old, pods), decide(changed(old, pods), old, settings=STRICT))
    again = stored(first, decide(first, old, settings=STRICT))
    assert stash.at_once(again, digest(pods)) == stash.at_once(first, digest(pods)) != ""


def test_a_restart_goes_on_as_ever() -> None:
    stamped = {**V1, "metadata": {**V1["metadata"], "annotations": {RESTARTED_AT: "2026-11-22T12:00:00Z"}}}
    assert decide(changed(deployment(V1), stamped), deployment(V1), settings=STRICT).kind is Kind.RESTARTED


def test_the_mark_goes_with_the_revision_that_it_is_about() -> None:
    old = deployment(V1, replicas=0)
    marked = stored(changed(old, V2), decide(changed(old, V2), old, settings=STRICT))
    marked["spec"]["replicas"] = 2
    superseded = stored(changed(marked, V3), decide(changed(marked, V3), marked, settings=STRICT))
    promoted = after(marked, "go", digest(V2))
    for found in (superseded, promoted):
        assert stash.AT_ONCE not in found["metadata"]["annotations"]


@pytest.mark.parametrize("manager", ["kubectl-annotate", "kubectl-set", ""])
def test_nobody_marks_his_own_update(manager: str) -> None:
    for old in (deployment(V1, annotations={}), shipped(deployment(V1), V2)):
        forged = changed(old, V2, **{stash.AT_ONCE: f"{digest(V2)} because I say so"})
        found = stored(forged, decide(forged, old, manager, settings=STRICT))
        assert stash.at_once(found, digest(V2)) == ""


def test_who_forges_our_whole_answer_has_made_an_update_like_any_other() -> None:
    old = deployment(V1, annotations={})
    waiting = shipped(old, V2)
    forged = changed(waiting, V1, **{stash.AT_ONCE: f"{digest(V2)} because I say so"})
    found = stored(forged, decide(forged, old, settings=STRICT))
    assert stash.diverted(found) == stash.Stash(V2)
    assert stash.at_once(found, digest(V2)) == ""
