"""Canaries by the ratio of replicas: which pods are in the Services of the primary, and which are taken out."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.joining import Membership, size_for
from tests.analyzer.objects import service

OUT = {"app": "web-canary", "team": "shop"}
TO_WEB = Membership((service("web"),), OUT)


def pod(name: str, *, within: bool = False, ready: bool = True, ending: bool = False) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "labels": {**OUT, "app": "web"} if within else dict(OUT)}
    if ending:
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return {
        "metadata": metadata,
        "status": {"conditions": [{"type": "Ready", "status": "True" if ready else "False"}]},
    }


def after(pods: list[dict[str, Any]], count: int, membership: Membership = TO_WEB) -> list[str]:
    """The names of the pods that are in once the changes are made."""
    for changed, labels in membership.changes(pods, count):
        own = next(each for each in pods if each is changed)["metadata"]["labels"]
        for key, value in labels.items():
            own.pop(key, None)
            if value is not None:
                own[key] = value
    return [each["metadata"]["name"] for each in membership.members(pods)]


@pytest.mark.parametrize(
    ("primary", "weight", "size"), [(9, 10, 1), (8, 20, 2), (5, 50, 5), (2, 5, 1), (10, 33, 5), (1, 90, 9), (4, 0, 0)]
)
def test_the_canary_has_the_size_that_is_nearest_to_its_share(primary: int, weight: int, size: int) -> None:
    assert size_for(primary, weight) == size


def test_as_many_join_as_the_share_asks_for() -> None:
    assert after([pod("a"), pod("b"), pod("c")], 2) == ["a", "b"]


def test_who_is_in_stays_in() -> None:
    assert after([pod("a"), pod("b", within=True), pod("c")], 1) == ["b"]


def test_a_pod_that_is_not_ready_or_ends_does_not_join_and_is_replaced() -> None:
    assert after([pod("a", ready=False), pod("b", ending=True), pod("c")], 2) == ["c"]
    assert after([pod("a", within=True, ready=False), pod("b")], 1) == ["b"]


def test_in_the_end_all_are_out_whatever_they_are() -> None:
    pods = [pod("a", within=True), pod("b", within=True, ready=False), pod("c", within=True, ending=True)]
    assert after(pods, 0) == []
    assert all(each["metadata"]["labels"] == OUT for each in pods)


def test_a_label_that_was_taken_away_comes_and_goes() -> None:
    membership = Membership((service("web"),), {"team": "shop"})
    without = {**pod("a"), "metadata": {"name": "a", "labels": {"team": "shop"}}}
    assert membership.changes([without], 1) == [(without, {"app": "web"})]
    assert membership.changes([pod("b", within=True)], 0)[0][1] == {"app": None}


def test_all_services_of_the_primary_are_joined() -> None:
    both = Membership((service("web"), service("team", {"team": "shop", "tier": "front"})), OUT)
    assert both.changes([one := pod("a")], 1) == [(one, {"app": "web", "team": "shop", "tier": "front"})]
    assert after([pod("a", within=True)], 0, both) == []


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), max_size=8), st.integers(0, 8))
def test_nothing_is_left_to_change_afterwards(found: list[tuple[bool, bool, bool]], count: int) -> None:
    pods = [pod(str(number), within=a, ready=b, ending=c) for number, (a, b, c) in enumerate(found)]
    able = sum(ready and not ending for _, ready, ending in found)
    assert len(after(pods, count)) == min(count, able)
    assert TO_WEB.changes(pods, count) == []
