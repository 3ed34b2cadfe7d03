"""What a tool has deleted before it could be held: put back as it was, if it can be, and told if not."""

from typing import Any

import pytest

from analyzer.kube.errors import Unreachable
from analyzer.references import Duty, duty
from tests.analyzer.pantry import Pantry, stocked, using

CONFIG = "ConfigMap"
MARK = "web.detour.dev/in-use"


@pytest.fixture
def pantry() -> Pantry:
    """What v1 needs is there."""
    return stocked()


def test_what_has_gone_before_it_could_be_held_is_told_once(pantry: Pantry) -> None:
    pantry.runs(using("pruned"), waiting=using("new"))
    pantry.settle()
    pantry.settle()
    assert pantry.api.requests == ["mark pruned", "recall pruned"]
    (told,) = pantry.api.told
    assert told.startswith("ConfigMap pruned, which web.shop needs to start a pod, is gone already: create it again")


@pytest.fixture
def late(pantry: Pantry) -> Pantry:
    """A tool has deleted the ConfigMap of the running version within the moment that it takes to hold it."""
    pantry.runs(using("old"), waiting=using("new"))
    pantry.api.prune(CONFIG, "old")
    assert pantry.marks(CONFIG, "old") is None
    return pantry


def test_what_was_deleted_before_it_could_be_held_is_put_back_as_it_was_and_goes_in_the_end(late: Pantry) -> None:
    late.settle()
    again = late.api.stored[CONFIG, "old"]
    assert again["data"] == {"color": "blue"}
    assert again["metadata"]["labels"]["app"] == "web"
    assert "deletionTimestamp" in again["metadata"]
    assert late.marks(CONFIG, "old") == [MARK]
    late.hear()
    late.settle()
    assert "was deleted and is kept" in late.api.told[0]
    late.runs(using("new"))
    late.settle()
    assert late.marks(CONFIG, "old") is None


@pytest.mark.parametrize("at", ["create", "delete"])
def test_a_process_that_dies_while_it_puts_something_back_leaves_it_to_the_next(late: Pantry, at: str) -> None:
    late.api.dies_at = at
    with pytest.raises(Unreachable):
        late.settle()
    late.begin()
    late.settle()
    assert "deletionTimestamp" in late.api.stored[CONFIG, "old"]["metadata"]
    assert late.marks(CONFIG, "old") == [MARK]


def test_what_was_deleted_too_long_ago_is_told(late: Pantry) -> None:
    late.api.compacted = True
    late.settle()
    assert "is gone already: create it again" in late.api.told[0]


def test_with_the_next_revision_what_was_missing_is_tried_again(pantry: Pantry) -> None:
    pantry.runs(using("pruned"), waiting=using("new"))
    pantry.settle()
    pantry.api.put(CONFIG, "pruned")
    pantry.runs(using("pruned"), waiting=using("newer"))
    pantry.settle()
    assert pantry.marks(CONFIG, "pruned") == [MARK]


def test_what_pods_start_without_is_not_missed(pantry: Pantry) -> None:
    optional = using()
    optional["spec"]["volumes"] = [{"name": "x", "configMap": {"name": "pruned", "optional": True}}]
    pantry.runs(optional, waiting=using("new"))
    pantry.settle()
    assert pantry.api.told == []


def test_an_update_that_comes_in_the_middle_of_a_look_is_remembered_all_the_same(
    pantry: Pantry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(*arguments: Any) -> Duty:
        pantry.runs(using("old"), waiting=using("new"))
        pantry.api.prune(CONFIG, "old")
        monkeypatch.setattr("analyzer.custody.duty", duty)
        return duty(*arguments)

    pantry.runs(using("old"))
    monkeypatch.setattr("analyzer.custody.duty", meanwhile)
    pantry.settle()
    pantry.settle()
    assert pantry.marks(CONFIG, "old") == [MARK]


def test_the_same_update_made_again_later_is_another_one(pantry: Pantry) -> None:
    versions = pantry.cluster.holdings._diverted
    pantry.runs(using("old"), waiting=using("new"))
    (first,) = versions.values()
    pantry.runs(using("old"))
    assert not versions
    pantry.runs(using("old"), waiting=using("new"))
    (second,) = versions.values()
    assert first[0] == second[0]
    assert first[1] != second[1]
