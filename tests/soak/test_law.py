"""The laws of the soak see what they are there to see: each breach in a recording made up for it, and none in a lawful
one."""

from collections.abc import Mapping
from typing import Any

import pytest

from analyzer.canary import DIGEST
from tests.soak.law import WEIGHT, judge
from tests.soak.recording import Version
from tests.soak.story import around
from webhook import stash
from webhook.revision import digest

Object = dict[str, Any]


def template(tag: str) -> Object:
    return {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "a", "image": f"podinfo:{tag}"}]}}


OLD, NEW, OTHER = template("1"), template("2"), template("3")


class Story:
    """Makes up versions, one after the other."""

    def __init__(self) -> None:
        self.versions: list[Version] = []

    def _add(self, kind: str, name: str, body: Object, metadata: Mapping[str, Any], gone: bool = False) -> None:
        at = len(self.versions) + 1
        found = {**body, "metadata": {"name": name, **metadata}}
        self.versions.append(Version(at, kind, name, found, gone, float(at)))

    def primary(
        self, runs: Object, waits: Object | None = None, previous: Object | None = None, replicas: int = 1
    ) -> None:
        notes = {stash.TEMPLATE: waits, stash.PREVIOUS: previous}
        found = {key: stash.encode(stash.Stash(value)) for key, value in notes.items() if value}
        self._add("Deployment", "podinfo", {"spec": {"replicas": replicas, "template": runs}}, {"annotations": found})

    def canary(self, runs: Object, gone: bool = False) -> None:
        ours = {"labels": {stash.CANARY_OF: "podinfo"}, "annotations": {DIGEST: digest(runs)}}
        self._add("Deployment", "podinfo-canary", {"spec": {"template": runs}}, ours, gone)

    def weight(self, weight: int) -> None:
        ours = {"labels": {stash.CANARY_OF: "podinfo"}, "annotations": {WEIGHT: str(weight)}}
        self._add("Ingress", "podinfo-canary", {}, ours)

    def status(self, phase: str, revision: Object, base: Object = OLD, weight: int = 0, **more: Any) -> None:
        found = {"phase": phase, "revision": digest(revision), "base": digest(base), "canaryWeight": weight, **more}
        self._add("Canary", "podinfo", {"status": found}, {})

    def analysed(self, revision: Object = NEW, base: Object = OLD) -> None:
        """A revision waits, and has passed its analysis."""
        self.primary(base, waits=revision)
        self.status("Progressing", revision, base)
        self.canary(revision)
        self.weight(0)
        self.status("Progressing", revision, base, 50)
        self.weight(50)
        self.status("Promoting", revision, base, 50)

    def promoted(self) -> None:
        """All of it, to the end."""
        self.analysed()
        self.primary(NEW, previous=OLD)
        self.status("Finalising", NEW, OLD, 0, ending={"outcome": "Succeeded"})
        self.weight(0)
        self.canary(NEW, gone=True)
        self.primary(NEW)


@pytest.fixture
def story() -> Story:
    return Story()


def test_a_promotion_and_the_way_back_to_what_is_proven_break_no_law(story: Story) -> None:
    story.promoted()
    story.primary(OLD)
    judgement = judge(story.versions)
    assert judgement.texts == []
    assert judgement.changes == {"promoted": 1, "back to a proven revision": 1}


def test_a_restart_and_a_promotion_taken_back_break_no_law(story: Story) -> None:
    story.analysed()
    story.primary(NEW, previous=OLD)
    story.primary(OLD, waits=NEW)
    stamp = {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}
    story.primary({**OLD, "metadata": {**OLD["metadata"], **stamp}}, waits=NEW)
    judgement = judge(story.versions)
    assert judgement.texts == []
    assert judgement.changes == {"promoted": 1, "back to what a promotion was replacing": 1, "restarted": 1}


def test_with_no_replicas_wanted_anything_may_come_directly(story: Story) -> None:
    story.primary(OLD)
    story.primary(OTHER, replicas=0)
    assert judge(story.versions).texts == []


def test_a_primary_that_changes_without_an_analysis_is_seen(story: Story) -> None:
    story.primary(OLD)
    story.primary(OTHER)
    (breach,) = judge(story.versions).texts
    assert "which nothing has proven" in breach


def test_a_revision_that_is_promoted_in_the_place_of_the_analysed_one_is_seen(story: Story) -> None:
    story.analysed()
    story.primary(OTHER, previous=OLD)
    assert len(judge(story.versions).broken) == 1


def test_a_promotion_against_another_primary_than_it_was_proven_against_is_seen(story: Story) -> None:
    story.analysed()
    story.status("Promoting", NEW, OTHER, 50)
    story.primary(NEW, previous=OLD)
    assert len(judge(story.versions).broken) == 1


def test_what_was_promoted_and_never_done_is_not_proven(story: Story) -> None:
    story.analysed()
    story.primary(NEW, previous=OLD)
    story.primary(OLD, waits=NEW)
    story.primary(NEW)
    assert len(judge(story.versions).broken) == 1


def test_a_rejected_revision_that_is_promoted_is_seen(story: Story) -> None:
    story.analysed()
    story.status("Promoting", NEW, OLD, 50, rejected=[digest(NEW)])
    story.primary(NEW, previous=OLD)
    assert len(judge(story.versions).broken) == 1


def test_a_promotion_that_begins_before_the_last_step_is_seen(story: Story) -> None:
    story.primary(OLD, waits=NEW)
    story.status("Progressing", NEW, OLD, 25)
    story.status("Promoting", NEW, OLD, 25)
    (breach,) = judge(story.versions).texts
    assert "is to be promoted at weight 25" in breach


def test_a_canary_that_is_exchanged_while_it_has_traffic_is_seen(story: Story) -> None:
    story.analysed()
    story.canary(OTHER)
    (breach,) = judge(story.versions).texts
    assert "at weight 50" in breach


def test_a_weight_for_another_revision_than_the_analysed_one_is_seen(story: Story) -> None:
    story.analysed()
    story.status("Progressing", OTHER, OLD, 25)
    story.weight(25)
    (breach,) = judge(story.versions).texts
    assert "is analysed" in breach


def test_a_route_that_is_ahead_of_the_status_is_seen_and_told_with_what_came_before(story: Story) -> None:
    story.analysed()
    story.weight(60)
    judgement = judge(story.versions)
    assert judgement.texts == ["weight 60 in the route, 50 in the status"]
    told = list(around(story.versions, judgement))
    assert told[0].startswith("BROKEN")
    assert "Ingress podinfo-canary: weight 60" in told[-1]
