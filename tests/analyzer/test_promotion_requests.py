"""What is asked of the API server for the primary, and how its answers are understood."""

from collections.abc import Sequence
from typing import Any

import pytest

from analyzer import promotion
from analyzer.actions import Ask
from analyzer.kube.answers import Answer
from analyzer.kube.client import Client
from analyzer.kube.errors import Conflict, Refused
from webhook import stash

Object = dict[str, Any]
DENIED = 'admission webhook "divert-object.detour.dev" denied the request: go of revision 0000000000 refused'
V2 = "2" * 64


class Recorder(Client):
    """Notes every patch, and answers with the errors that it is given, in turn; None accepts."""

    def __init__(self, *answers: Exception | None) -> None:
        self.answers = list(answers)
        self.patches: list[Any] = []

    def _answer(self, body: Any) -> Answer:
        self.patches.append(body)
        if (error := self.answers.pop(0) if self.answers else None) is not None:
            raise error
        return Answer(deployment())

    def merge(self, _: Any, __: str | None, ___: str, body: Object, *, dry_run: bool = False) -> Answer:
        return self._answer(body)

    def patch(self, _: Any, __: str | None, ___: str, operations: Sequence[Any], *, dry_run: bool = False) -> Answer:
        return self._answer(list(operations))


def deployment(**annotations: str) -> Object:
    return {
        "metadata": {
            "namespace": "shop",
            "name": "podinfo",
            "resourceVersion": "7",
            "labels": {stash.REVISION: V2[:10]},
            "annotations": {"mine": "1", **annotations},
        }
    }


def test_an_update_is_certain_to_be_diverted_when_our_webhook_denies_a_promotion_of_nobodys_revision() -> None:
    client = Recorder(None, Conflict(409, "Conflict", DENIED))
    assert promotion.guard(client, deployment(), managed=False) == ""


def test_it_is_not_certain_when_the_promotion_is_accepted_or_another_webhook_denies_it() -> None:
    assert "not called yet" in promotion.guard(Recorder(None, None), deployment(), managed=False)
    other = Refused(403, "Forbidden", 'admission webhook "policy.kyverno.svc" denied the request')
    assert "kyverno" in promotion.guard(Recorder(None, other), deployment(), managed=False)


def test_what_a_label_manages_already_is_not_marked() -> None:
    client = Recorder(Conflict(409, "Conflict", DENIED))
    assert promotion.guard(client, deployment(), managed=True) == ""
    assert len(client.patches) == 1


def test_letting_go_takes_every_key_of_ours_and_nothing_else() -> None:
    client = Recorder()
    marked = deployment(**{stash.TEMPLATE: "{}", stash.HISTORY: "a"})
    marked["metadata"]["labels"] |= {stash.POLICY: stash.POLICY_CANARY, stash.STATE: "analysing", "app": "podinfo"}
    assert promotion.release(client, marked)
    assert client.patches[0]["metadata"] == {
        "resourceVersion": "7",
        "labels": dict.fromkeys((stash.REVISION, stash.STATE, stash.POLICY)),
        "annotations": dict.fromkeys((stash.TEMPLATE, stash.HISTORY)),
    }


def test_a_policy_that_a_person_wrote_on_it_stays_when_it_is_let_go() -> None:
    client = Recorder()
    marked = deployment()
    marked["metadata"]["labels"][stash.POLICY] = stash.POLICY_NONE
    assert promotion.release(client, marked)
    assert stash.POLICY not in client.patches[0]["metadata"]["labels"]


def test_what_bears_nothing_of_ours_is_not_touched_when_it_is_let_go() -> None:
    plain = {"metadata": {"namespace": "shop", "name": "podinfo", "resourceVersion": "7"}}
    assert not promotion.release(Recorder(), plain)


def test_a_target_is_only_marked_as_it_was_seen() -> None:
    client = Recorder(Conflict(409, "Conflict", "the object has been modified"))
    with pytest.raises(Conflict):
        promotion.guard(client, deployment(), managed=False)
    assert client.patches[0]["metadata"]["resourceVersion"] == "7"


@pytest.mark.parametrize("verb", ["go", "done", "back"])
def test_every_patch_of_the_primary_tests_the_revision_first(verb: Any) -> None:
    client = Recorder()
    promotion.ask(client, deployment(), Ask(verb, V2))
    promotion.label(client, deployment(), "analysing")
    promotion.rehearse(client, deployment(), V2)
    test = {"op": "test", "path": "/metadata/labels/detour.dev~1revision", "value": V2[:10]}
    assert [patch[0] for patch in client.patches] == [test, test, test]


def test_a_wish_that_was_stored_unheard_is_taken_away_before_it_is_made_again() -> None:
    client = Recorder()
    promotion.ask(client, deployment(**{stash.PROMOTE: f"go:{V2}"}), Ask("go", V2))
    assert [patch[1]["op"] for patch in client.patches] == ["remove", "add"]
