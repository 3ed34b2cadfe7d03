"""`kubernetes.io/change-cause` says of a template why it came: it waits, runs and goes back with it."""

from tests.webhook.deployments import after, changed, decide, deployment, shipped, stored, template
from webhook import stash
from webhook.revision import digest

V1, V2 = template("podinfo:1"), template("podinfo:2")


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


def test_a_change_cause_that_is_said_afterwards_belongs_to_what_waits() -> None:
    waiting = shipped(deployment(V1, annotations={stash.CHANGE_CAUSE: "first"}), V2)
    new = changed(waiting, **{stash.CHANGE_CAUSE: "second"})
    found = stored(new, decide(new, waiting, "kubectl-annotate"))
    assert found["metadata"]["annotations"][stash.CHANGE_CAUSE] == "first"
    assert stash.diverted(found) == stash.Stash(V2, "second")
    assert stash.diverted_by(found) == stash.diverted_by(waiting)
