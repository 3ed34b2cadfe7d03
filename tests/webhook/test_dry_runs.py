"""Dry runs: `kubectl diff`, Argo CD and Flux see what would come of it, and nothing that is not a change."""

from tests.webhook.deployments import changed, decide, deployment, shipped, stored, template
from webhook import stash
from webhook.decision import Kind

V1, V2, V3 = template("podinfo:1"), template("podinfo:2"), template("podinfo:3")


def test_a_new_template_is_shown_in_place_with_the_same_warning() -> None:
    new = changed(deployment(V1), V2)
    rehearsed = decide(new, deployment(V1), dryRun=True)
    assert stored(new, rehearsed) == new
    assert rehearsed.warning == decide(new, deployment(V1)).warning


def test_what_is_shown_is_what_would_wait() -> None:
    waiting = shipped(deployment(V1), V2)
    new = changed(waiting, template("podinfo:1", args=["a"]))
    found = stored(new, decide(new, waiting, dryRun=True))
    assert found["spec"]["template"] == template("podinfo:2", args=["a"])
    assert stash.diverted(found) == stash.Stash(V2)


def test_what_waits_already_is_no_drift() -> None:
    waiting = shipped(deployment(V1), V2)
    new = changed(waiting, V2)
    assert stored(new, decide(new, waiting, dryRun=True)) == waiting


def test_going_back_shows() -> None:
    waiting = shipped(deployment(V1), V2)
    decision = decide(deployment(V1), waiting, "kubectl-replace", dryRun=True)
    assert decision.kind is Kind.CANCELLED
    assert stash.diverted(stored(deployment(V1), decision)) is None


def test_what_would_be_refused_is_refused() -> None:
    pods = template("podinfo:2")
    pods["metadata"]["labels"] = {}
    assert decide(changed(deployment(V1), pods), deployment(V1), dryRun=True).denial is not None
