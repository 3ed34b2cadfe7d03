"""Our own keys: nobody gains anything by writing them, and nobody loses a revision by dropping them."""

import copy
from typing import Any

import pytest

from tests.webhook.deployments import changed, decide, deployment, labelled, shipped, stored, template
from tests.webhook.model import ANALYZER
from webhook import stash
from webhook.decision import Kind
from webhook.revision import digest, short

V1, V2, V3 = template("podinfo:1"), template("podinfo:2"), template("podinfo:3")


def waiting() -> dict[str, Any]:
    return shipped(deployment(V1), V2)


@pytest.mark.parametrize(
    ("name", "forged"),
    [
        (stash.HISTORY, digest(V3)),
        (stash.TEMPLATE, stash.encode(stash.Stash(V3))),
        (stash.PREVIOUS, stash.encode(stash.Stash(V3))),
        (stash.DIVERTED_BY, stash.Author("admin").encode()),
    ],
)
def test_an_annotation_of_ours_counts_for_nothing_in_a_users_request(name: str, forged: str) -> None:
    new = changed(waiting(), **{name: forged})
    assert stored(new, decide(new, waiting(), "kubectl-annotate")) == waiting()


def test_a_forged_history_does_not_let_its_own_request_through() -> None:
    new = changed(deployment(V1), V3, **{stash.HISTORY: digest(V3)})
    assert decide(new, deployment(V1)).kind is Kind.DIVERTED


@pytest.mark.parametrize("name", [stash.TEMPLATE, stash.DIVERTED_BY])
def test_an_annotation_of_ours_that_is_dropped_comes_back(name: str) -> None:
    new = changed(waiting(), **{name: None})
    assert stored(new, decide(new, waiting(), "kubectl-annotate")) == waiting()


@pytest.mark.parametrize(("label", "value"), [("state", "analysing"), ("revision", "0123456789"), ("revision", None)])
def test_a_label_of_ours_is_put_right(label: str, value: str | None) -> None:
    new = labelled(waiting(), **{label: value})
    assert stored(new, decide(new, waiting(), "kubectl-label")) == waiting()


def test_the_analyzer_says_what_state_it_is_in() -> None:
    new = labelled(waiting(), state="analysing")
    analysing = stored(new, decide(new, waiting(), "detour", ANALYZER))
    assert analysing == new
    assert stored(waiting(), decide(waiting(), analysing, "detour", ANALYZER)) == waiting()


def test_a_newer_revision_starts_without_a_state() -> None:
    old = labelled(waiting(), state="analysing")
    assert stash.STATE not in shipped(old, V3)["metadata"]["labels"]


def test_a_replace_that_drops_all_annotations_loses_nothing() -> None:
    bare = deployment(V2, labels={stash.POLICY: "default"})
    found = stored(bare, decide(bare, waiting(), "kubectl-replace"))
    assert found == waiting()


def test_an_undo_does_not_bring_our_old_annotations_back() -> None:
    new = changed(deployment(V1, annotations={}), V3, **{stash.HISTORY: digest(V3), stash.PREVIOUS: "x"})
    found = stored(new, decide(new, deployment(V1), manager=""))
    assert found["spec"]["template"] == V1
    assert stash.HISTORY not in found["metadata"]["annotations"]


def test_our_own_answer_stands_when_it_is_met_again() -> None:
    old = labelled(shipped(deployment(V1), V3), state="rejected")
    answered = shipped(old, V2)
    decision = decide(answered, old)
    assert decision.kind is Kind.DIVERTED
    assert stored(answered, decision) == answered


def test_our_own_cancelling_stands_when_it_is_met_again() -> None:
    cancelled = deployment(V1, annotations={})
    assert stored(cancelled, decide(cancelled, waiting(), manager="")) == cancelled


def test_who_forges_an_answer_of_ours_has_asked_for_an_update_under_his_own_name() -> None:
    forged = labelled(
        changed(
            waiting(),
            **{stash.TEMPLATE: stash.encode(stash.Stash(V3)), stash.DIVERTED_BY: stash.Author("admin").encode()},
        ),
        revision=short(digest(V3)),
        state="promoting",
    )
    found = stored(forged, decide(forged, waiting(), "kubectl-edit", "mallory"))
    assert found["spec"]["template"] == V1
    assert stash.diverted(found) == stash.Stash(V3)
    assert stash.diverted_by(found) == stash.Author("mallory", "kubectl-edit")
    assert stash.STATE not in found["metadata"]["labels"]


def test_what_another_webhook_makes_of_the_restored_template_waits_too() -> None:
    answered = shipped(deployment(V1), V2)
    pinned = copy.deepcopy(V1)
    pinned["metadata"]["labels"]["mesh"] = "on"
    new = changed(answered, pinned)
    found = stored(new, decide(new, deployment(V1)))
    assert found["spec"]["template"] == V1
    waiting = copy.deepcopy(V2)
    waiting["metadata"]["labels"]["mesh"] = "on"
    assert stash.diverted(found) == stash.Stash(waiting)


def test_the_primarys_own_template_is_no_answer_of_ours() -> None:
    forged = changed(waiting(), **{stash.TEMPLATE: stash.encode(stash.Stash(V1))})
    forged = labelled(forged, revision=short(digest(V1)))
    assert stored(forged, decide(forged, waiting())) == waiting()


def test_an_answer_that_does_not_prove_itself_is_none_of_ours() -> None:
    forged = changed(waiting(), **{stash.TEMPLATE: stash.encode(stash.Stash(V3))})
    forged = labelled(forged, revision="0123456789")
    assert stored(forged, decide(forged, waiting())) == waiting()


def test_an_author_that_cannot_be_read_is_nobody() -> None:
    for text in ("", "[]", "{", '{"user": 1}'):
        assert stash.diverted_by(changed(waiting(), **{stash.DIVERTED_BY: text})) is None


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"template": 1}', '{"template": {}, "changeCause": 1}', "H4sI", "é"])
def test_a_stash_that_the_webhook_did_not_write_is_a_typed_error(text: str) -> None:
    with pytest.raises(stash.StashError):
        stash.decode(text)


def test_a_stash_that_unpacks_without_end_is_refused() -> None:
    import base64
    import gzip

    bomb = base64.b64encode(gzip.compress(b" " * (9 * 1024 * 1024))).decode()
    with pytest.raises(stash.StashError, match="larger than"):
        stash.decode(bomb)


def test_what_was_written_before_a_canary_guards_the_deployment_proves_nothing() -> None:
    seeded = deployment(V1, labels={}, annotations={stash.HISTORY: digest(V2), stash.LET_PAST: "let past by alice"})
    guarded = labelled(seeded, policy="canary")
    found = stored(guarded, decide(guarded, seeded, "detour", ANALYZER))
    assert found["metadata"]["labels"] == {stash.POLICY: "canary"}
    assert found["metadata"]["annotations"] == {}


def test_the_label_of_a_canary_brings_no_other_template_along() -> None:
    unmanaged = deployment(V1, labels={})
    found = decide(changed(labelled(unmanaged, policy="canary"), V2), unmanaged, "detour", ANALYZER)
    assert found.kind is Kind.DIVERTED
    assert stored(changed(labelled(unmanaged, policy="canary"), V2), found)["spec"]["template"] == V1
