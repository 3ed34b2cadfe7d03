"""What goes directly, with nothing to protect or unable to run twice, is written down for events and history."""

from typing import Any

import pytest

from tests.webhook.deployments import SETTINGS, changed, decide, deployment, shipped, stored, template
from tests.webhook.model import ANALYZER
from webhook import stash
from webhook.decision import Settings

V1, V2 = template("podinfo:1"), template("podinfo:2")
BY_NAMESPACE: dict[str, str] = {}
"""No label of its own: only the Namespace has one."""


def host_network() -> dict[str, Any]:
    return V2 | {"spec": V2["spec"] | {"hostNetwork": True}}


@pytest.mark.parametrize(
    ("old", "pods", "reason"),
    [
        (deployment(V1, replicas=0), V2, "0 replicas are wanted"),
        (deployment(V1, BY_NAMESPACE, strategy={"type": "Recreate"}), V2, "its strategy is Recreate"),
        (deployment(V1, BY_NAMESPACE), host_network(), "it uses the host's network"),
        (deployment(V1, BY_NAMESPACE), template("podinfo:2", ports=[{"hostPort": 80}]), "it takes host port 80"),
    ],
)
def test_who_changed_it_directly_and_why_is_written_on_the_deployment(
    old: dict[str, Any], pods: dict[str, Any], reason: str
) -> None:
    new = changed(old, pods)
    decision = decide(new, old)
    found = stored(new, decision)
    assert found["spec"]["template"] == pods
    assert stash.let_past(found) == f"changed directly by ann: {reason}"
    assert reason in decision.warning


def test_the_analyzer_takes_it_away_when_it_has_told_it() -> None:
    here = shipped(deployment(V1, replicas=0), V2)
    assert stash.let_past(here)
    told = changed(here, **{stash.LET_PAST: None})
    assert stash.let_past(stored(told, decide(told, here, "detour", "ann"))), "nobody else can"
    assert not stash.let_past(stored(told, decide(told, here, "detour", ANALYZER)))


def test_a_dry_run_does_not_show_it() -> None:
    old = deployment(V1, replicas=0)
    new = changed(old, V2)
    assert not stash.let_past(stored(new, decide(new, old, dryRun=True)))


def test_what_is_proven_or_restarted_or_left_to_the_analyzer_is_told_otherwise() -> None:
    old = deployment(V1, replicas=0)
    new = changed(old, V2)
    enforced = stored(new, decide(new, old, settings=Settings(SETTINGS.analyzer, enforce=True)))
    assert not stash.let_past(enforced)
    here = deployment(V1, annotations={stash.HISTORY: stash.Stash(V2).digest})
    assert not stash.let_past(shipped(here, V2))
