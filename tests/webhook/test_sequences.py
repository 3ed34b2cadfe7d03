"""Sequences of requests, honest and forged, against a model that knows one thing: which templates were promoted.

Nobody opts out here and nothing is broken, so the primary may run what it was created with and what the analyzer had
promoted, whatever anybody writes into labels, annotations, manifests and old ReplicaSets.
"""

import copy
import json
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.webhook.deployments import SETTINGS, changed, deployment, request, stored
from tests.webhook.examples import examples
from tests.webhook.model import ANALYZER, NOW
from tests.webhook.test_properties import FORGERIES, LABELS, MANAGERS
from tests.webhook.test_twin import manifests
from webhook import revision, stash
from webhook.claims import LAST_APPLIED
from webhook.decision import Kind
from webhook.divert import REPLICA_SET, divert
from webhook.revision import digest, short

VERBS = st.sampled_from(stash.VERBS)
STATES = st.sampled_from([stash.STATE_ANALYSING, stash.STATE_PROMOTING, stash.STATE_REJECTED])
USERS = st.sampled_from(["ann", "bob"])
OURS = stash.LABELS | stash.ANNOTATIONS


class Sequences(RuleBasedStateMachine):
    """A stored Deployment, what anybody may ask of it, and what must hold after every answer."""

    twice = True
    """Whether every request is asked about once more. An answer of ours is known by its short digest, too."""

    @initialize(first=manifests())
    def created(self, first: Any) -> None:
        self.here = deployment(first)
        self.proven = {digest(first)}
        self.seen = [first]
        self.state: str | None = None
        self.users = {"ann", "bob"}

    def send(self, new: Any, manager: str = "", user: str = "ann", *, twice: bool = True, **more: Any) -> Any:
        """The decision. What it says is stored; asked about that once more, it changes nothing of it."""
        old = self.here
        decision = divert(request(new, old, manager, user, **more), SETTINGS, NOW)
        if decision.denial is None and not more:
            self.here = stored(new, decision)
            again = divert(request(self.here, old, manager, user), SETTINGS, NOW)
            if twice and self.twice:
                assert _without_cause(stored(self.here, again)) == _without_cause(self.here)
        return decision

    @rule(pods=manifests(), notes=FORGERIES, labels=LABELS, manager=MANAGERS, user=USERS)
    def writes(self, pods: Any, notes: dict[str, Any], labels: dict[str, str], manager: str, user: str) -> None:
        """A template, with whatever keys of ours somebody thinks of."""
        self.seen.append(pods)
        new = changed(self.here, copy.deepcopy(pods), **notes)
        new["metadata"]["labels"] |= labels
        self.send(new, manager, user)

    @rule(notes=FORGERIES, labels=LABELS, manager=MANAGERS)
    def forges(self, notes: dict[str, Any], labels: dict[str, str], manager: str) -> None:
        """Keys of ours, and nothing else."""
        new = changed(self.here, None, **notes)
        new["metadata"]["labels"] |= labels
        self.send(new, manager)

    @rule(data=st.data(), forged=FORGERIES)
    def applies(self, data: st.DataObject, forged: dict[str, Any]) -> None:
        """A manifest with our keys in it, as `get -o yaml` gives them."""
        pods = data.draw(st.sampled_from(self.seen))
        manifest = {"metadata": {"annotations": forged}, "spec": {"template": pods}}
        new = changed(self.here, copy.deepcopy(pods), **forged, **{LAST_APPLIED: json.dumps(manifest)})
        self.send(new, "kubectl-client-side-apply", twice=False)  # test_twin asks twice about real merges

    @rule(data=st.data(), kept=FORGERIES, number=st.booleans())
    def undoes(self, data: st.DataObject, kept: dict[str, Any], number: bool) -> None:
        """An old template, and in place of all annotations those of its ReplicaSet, where ours have been copied."""
        new = changed(self.here, copy.deepcopy(data.draw(st.sampled_from(self.seen))))
        notes = {key: value for key, value in kept.items() if value is not None}
        new["metadata"]["annotations"] = notes | ({REPLICA_SET: "1"} if number else {})
        self.send(new)

    @rule(data=st.data(), verb=VERBS, user=USERS)
    def promotes_by_hand(self, data: st.DataObject, verb: str, user: str) -> None:
        """Nobody but the analyzer promotes, not even what waits."""
        before = self.here["spec"]["template"]
        whole = digest(data.draw(st.sampled_from(self.seen)))
        self.send(changed(self.here, **{stash.PROMOTE: f"{verb}:{whole}"}), "kubectl-annotate", user)
        assert self.here["spec"]["template"] == before

    @rule(data=st.data(), verb=VERBS)
    def analyzer_asks(self, data: st.DataObject, verb: str) -> None:
        """For what waits, or for what it believes to wait."""
        waiting, asked = stash.diverted(self.here), data.draw(st.sampled_from(self.seen))
        if waiting and data.draw(st.booleans()):
            asked = waiting.template
        new = changed(self.here, **{stash.PROMOTE: f"{verb}:{digest(asked)}"})
        decision = self.send(new, "detour", ANALYZER)
        if verb == stash.GO and decision.kind is Kind.PROMOTING:
            assert waiting is not None
            assert waiting.digest == digest(asked)
            self.proven.add(waiting.digest)

    @rule(state=STATES)
    def analyzer_says(self, state: str) -> None:
        new = changed(self.here)
        new["metadata"]["labels"][stash.STATE] = state
        self.state = state
        self.send(new, "detour", ANALYZER)

    @rule(forged=FORGERIES, labels=LABELS)
    def is_created_anew(self, forged: dict[str, Any], labels: dict[str, str]) -> None:
        """From a copy of itself, with everything of ours in it."""
        new = changed(self.here, None, **forged)
        new["metadata"]["labels"] |= labels
        self.here = stored(new, divert(request(new, None), SETTINGS, NOW))
        assert not (OURS - {stash.POLICY}) & {*self.here["metadata"]["labels"], *self.here["metadata"]["annotations"]}
        self.proven, self.state = {digest(self.here["spec"]["template"])}, None

    @rule(pods=manifests(), manager=MANAGERS)
    def is_rehearsed(self, pods: Any, manager: str) -> None:
        self.send(changed(self.here, pods), manager, dryRun=True)

    @invariant()
    def the_primary_runs_what_was_promoted(self) -> None:
        assert digest(self.here["spec"]["template"]) in self.proven
        assert set(stash.history(self.here)) <= self.proven
        replaced = stash.previous(self.here)
        assert replaced is None or replaced.digest in self.proven

    @invariant()
    def what_waits_proves_itself(self) -> None:
        waiting, promoting = stash.diverted(self.here), stash.previous(self.here) is not None
        label = self.here["metadata"]["labels"].get(stash.REVISION)
        if waiting is not None:
            assert label == short(waiting.digest)
        else:
            assert label == (short(digest(self.here["spec"]["template"])) if promoting else None)

    @invariant()
    def nobody_speaks_for_another(self) -> None:
        labels, notes = self.here["metadata"]["labels"], self.here["metadata"].get("annotations", {})
        assert labels.get(stash.STATE) in (None, self.state)
        assert stash.PROMOTE not in notes
        author = stash.diverted_by(self.here)
        assert author is None or author.user in self.users


def _without_cause(found: dict[str, Any]) -> dict[str, Any]:
    """With the template that waits, but not its change-cause: one that is said afterwards is lost by a second call."""
    waiting, deployment = stash.diverted(found), copy.deepcopy(found)
    notes = deployment["metadata"].get("annotations", {})
    if waiting is not None:
        notes[stash.TEMPLATE] = stash.encode(stash.Stash(waiting.template))
    return deployment


class Collisions(Sequences):
    """The same, where every sixteenth template has the same short digest."""

    twice = False


TRIED = settings(max_examples=examples(50), stateful_step_count=12, deadline=None)


def test_nobody_gains_anything_by_what_he_writes() -> None:
    run_state_machine_as_test(Sequences, settings=TRIED)


def test_nobody_gains_anything_by_templates_whose_short_digests_are_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revision, "_SHORT", 1)
    run_state_machine_as_test(Collisions, settings=TRIED)


def test_of_two_templates_with_one_short_digest_only_the_one_that_waits_is_promoted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(revision, "_SHORT", 1)
    pods = [{"metadata": {"labels": {"app": "podinfo", "try": str(number)}}, "spec": {}} for number in range(17)]
    by_short = {short(digest(one)): one for one in pods}
    analysed = next(one for one in pods if by_short[short(digest(one))] is not one)
    twin = by_short[short(digest(analysed))]
    old = deployment()
    waiting = stored(new := changed(old, analysed), divert(request(new, old), SETTINGS, NOW))
    swapped = stored(new := changed(waiting, twin), divert(request(new, waiting), SETTINGS, NOW))
    assert stash.diverted(swapped) == stash.Stash(twin)
    wish = changed(swapped, **{stash.PROMOTE: f"go:{digest(analysed)}"})
    assert divert(request(wish, swapped, "detour", ANALYZER), SETTINGS, NOW).denial is not None
