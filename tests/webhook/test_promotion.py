"""Promotion: go, done and back, asked for by the analyzer and by nobody else."""

import copy
from typing import Any

import pytest

from tests.webhook.deployments import after, changed, decide, deployment, labelled, promoted, shipped, stored, template
from tests.webhook.model import ANALYZER
from webhook import stash
from webhook.decision import Decision, Kind
from webhook.revision import digest, short

V1, V2, V3 = template("podinfo:1"), template("podinfo:2"), template("podinfo:3")
D1, D2, D3 = digest(V1), digest(V2), digest(V3)


def waiting() -> dict[str, Any]:
    return shipped(deployment(V1), V2)


def message(decision: Decision) -> str:
    return decision.denial.message if decision.denial else ""


def test_go_makes_what_waited_the_primary_and_keeps_what_it_replaced() -> None:
    found = after(waiting(), "go", D2)
    assert found["spec"]["template"] == V2
    assert stash.previous(found) == stash.Stash(V1)
    assert stash.diverted(found) is None
    assert found["metadata"]["labels"][stash.REVISION] == short(D2)
    assert stash.PROMOTE not in found["metadata"]["annotations"]


def test_done_remembers_both_templates_as_proven_and_leaves_nothing_else() -> None:
    found = after(after(waiting(), "go", D2), "done", D2)
    assert found["spec"]["template"] == V2
    assert stash.history(found) == (D1, D2)
    assert set(found["metadata"]["annotations"]) == {stash.HISTORY}
    assert found["metadata"]["labels"] == {stash.POLICY: "default"}


def test_done_again_adds_nothing_to_the_history() -> None:
    done = after(after(waiting(), "go", D2), "done", D2)
    assert after(done, "done", D2) == done
    fresh = deployment(V1, annotations={})
    assert stash.history(after(fresh, "done", D1)) == ()


def test_back_brings_the_previous_template_and_keeps_what_failed_in_mind() -> None:
    found = after(after(waiting(), "go", D2), "back", D2)
    assert found["spec"]["template"] == V1
    assert stash.diverted(found) == stash.Stash(V2)
    assert stash.previous(found) is None
    assert found["metadata"]["labels"][stash.REVISION] == short(D2)
    assert stash.history(found) == ()


def test_what_is_shipped_during_a_promotion_waits_for_its_end() -> None:
    promoting = shipped(after(waiting(), "go", D2), V3)
    assert promoting["spec"]["template"] == V2
    assert stash.diverted(promoting) == stash.Stash(V3)
    done = after(promoting, "done", D2)
    assert done["metadata"]["labels"][stash.REVISION] == short(D3)
    assert stash.diverted(done) == stash.Stash(V3)
    assert stash.diverted_by(done) == stash.Author("ann", "kubectl-set")
    assert stash.history(done) == (D1, D2)


def test_going_back_during_a_promotion_leaves_the_newer_revision_waiting() -> None:
    found = after(shipped(after(waiting(), "go", D2), V3), "back", D2)
    assert found["spec"]["template"] == V1
    assert stash.diverted(found) == stash.Stash(V3)
    assert found["metadata"]["labels"][stash.REVISION] == short(D3)


def test_cancelling_what_waits_during_a_promotion_does_not_end_the_promotion() -> None:
    promoting = shipped(after(waiting(), "go", D2), V3)
    file = deployment(V2)
    found = stored(file, decide(file, promoting, "kubectl-replace"))
    assert stash.diverted(found) is None
    assert stash.previous(found) == stash.Stash(V1)
    assert found["metadata"]["labels"][stash.REVISION] == short(D2)


@pytest.mark.parametrize("verb", stash.VERBS)
def test_nobody_but_the_analyzer_promotes(verb: str) -> None:
    decision = promoted(waiting(), verb, D2, user="mallory")
    assert "is the analyzer's alone" in message(decision)


def test_go_is_refused_for_another_revision_than_the_one_that_waits() -> None:
    assert message(promoted(waiting(), "go", D3)) == f"go of revision {short(D3)} refused: diverted is {short(D2)}"
    assert message(promoted(deployment(V1), "go", D2)).endswith("diverted is nothing")


def test_go_is_refused_while_another_promotion_is_under_way() -> None:
    promoting = shipped(after(waiting(), "go", D2), V3)
    assert "not done yet" in message(promoted(promoting, "go", D3))


def test_done_and_back_are_refused_for_what_the_primary_does_not_run() -> None:
    promoting = after(waiting(), "go", D2)
    assert "runs another template" in message(promoted(promoting, "done", D1))
    assert "not being promoted" in message(promoted(promoting, "back", D1))
    assert "not being promoted" in message(promoted(waiting(), "back", D1))


def test_ten_equal_digits_are_not_enough() -> None:
    assert promoted(waiting(), "go", D2[:10] + "0" * 54).denial is not None


@pytest.mark.parametrize("wish", ["", "go", "go:", f"go:{D2[:10]}", f"leap:{D2}", f"go:{D2} "])
def test_a_wish_that_makes_no_sense_is_refused(wish: str) -> None:
    decision = decide(changed(waiting(), **{stash.PROMOTE: wish}), waiting(), "detour", ANALYZER)
    assert "go, done or back" in message(decision)


def test_a_wish_that_merely_lies_there_is_stripped_and_grants_nothing() -> None:
    lying = changed(waiting(), **{stash.PROMOTE: f"go:{D2}"})
    new = labelled(lying, team="shop")
    found = stored(new, decide(new, lying))
    assert found["spec"]["template"] == V1
    assert stash.diverted(found) == stash.Stash(V2)
    assert stash.PROMOTE not in found["metadata"]["annotations"]


def test_a_template_that_the_analyzer_sends_is_diverted_like_anybodys() -> None:
    decision = decide(changed(deployment(V1), V2), deployment(V1), "detour", ANALYZER)
    assert decision.kind is Kind.DIVERTED


@pytest.mark.parametrize("verb", stash.VERBS)
def test_our_own_answer_to_the_analyzer_stands_when_it_is_met_again(verb: str) -> None:
    old = waiting() if verb == "go" else after(waiting(), "go", D2)
    answered = after(old, verb, D2)
    assert answered != old
    assert stored(answered, decide(answered, old, "detour", ANALYZER)) == answered


def test_the_same_from_anybody_else_is_an_update_like_any_other() -> None:
    old = after(waiting(), "go", D2)
    forged = copy.deepcopy(after(old, "done", D2))
    assert stored(forged, decide(forged, old, "kubectl-edit", "mallory")) == old


def test_the_history_keeps_the_last_twenty() -> None:
    digests = [f"{number:064x}" for number in range(30)]
    text = stash.pushed(digests[:19], *digests[19:])
    assert text.split(",") == digests[10:]
    assert stash.pushed(digests[:3], digests[1]).split(",") == [digests[0], digests[2], digests[1]]
