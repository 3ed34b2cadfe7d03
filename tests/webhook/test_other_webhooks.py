"""Other mutating webhooks, before and after ours: what they make of a template belongs to what waits, and no more."""

import pytest

from tests.webhook.deployments import (
    after,
    changed,
    decide,
    deployment,
    labelled,
    promoted,
    shipped,
    stored,
    template,
)
from tests.webhook.model import ANALYZER
from webhook import stash
from webhook.decision import Kind
from webhook.revision import digest

V1, V2 = template("ghcr.io/podinfo:1"), template("ghcr.io/podinfo:2")
MIRRORED_V1, MIRRORED_V2 = template("mirror/podinfo:1"), template("mirror/podinfo:2")


def test_the_users_update_survives_another_webhook_that_rewrites_the_restored_primary() -> None:
    once = stored(changed(deployment(V1), MIRRORED_V2), decide(changed(deployment(V1), MIRRORED_V2), deployment(V1)))
    rewritten = changed(once, MIRRORED_V1)
    twice = stored(rewritten, decide(rewritten, deployment(V1)))
    assert twice["spec"]["template"] == V1
    assert stash.diverted(twice) == stash.Stash(MIRRORED_V2)


def test_what_another_webhook_adds_to_the_restored_primary_is_added_to_what_waits() -> None:
    once = shipped(deployment(V1), V2)
    proxied = changed(once, template("ghcr.io/podinfo:1", env=[{"name": "PROXY", "value": "on"}]))
    waiting = stash.diverted(stored(proxied, decide(proxied, deployment(V1))))
    assert waiting == stash.Stash(template("ghcr.io/podinfo:2", env=[{"name": "PROXY", "value": "on"}]))


def test_what_another_webhook_makes_of_a_promotion_is_tried_out_first_and_stays_its_writers() -> None:
    waiting = shipped(deployment(V1), V2)
    running = changed(after(waiting, "go", digest(V2)), MIRRORED_V2)
    decision = decide(running, waiting, "detour", ANALYZER)
    assert decision.kind is Kind.DIVERTED
    found = stored(running, decision)
    assert found["spec"]["template"] == V1
    assert stash.diverted_by(found) == stash.Author("ann", "kubectl-set")


def test_a_step_back_during_a_promotion_is_immediate() -> None:
    running = after(shipped(deployment(V1), V2), "go", digest(V2))
    decision = decide(changed(running, V1), running)
    assert decision.kind is Kind.PROVEN
    back = stored(changed(running, V1), decision)
    assert back["spec"]["template"] == V1
    assert stash.previous(back) is None
    assert promoted(back, "done", digest(V2)).denial is not None


def test_a_replacement_by_the_old_manifest_says_that_it_cancels() -> None:
    old = deployment(V1, annotations={})
    decision = decide(old, shipped(deployment(V1), V2), "kubectl-replace")
    assert decision.kind is Kind.CANCELLED
    assert "cancelled, the primary stays" in decision.warning


@pytest.mark.parametrize(("manager", "user"), [("detour", ANALYZER), ("kubectl-label", "ann")])
def test_the_users_update_survives_what_another_webhook_makes_of_the_primary_later(manager: str, user: str) -> None:
    waiting = shipped(deployment(V1), MIRRORED_V2)
    marked = labelled(changed(waiting, MIRRORED_V1), state="analysing")
    found = stored(marked, decide(marked, waiting, manager, user))
    assert found["spec"]["template"] == V1
    assert stash.diverted(found) == stash.Stash(MIRRORED_V2)
