"""Whose turn it is: by namespace, by time, and within every limit."""

from collections import Counter
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.queue import AT_ONCE, CLUSTER, Limit, Rollout, annotated, turns
from tests.analyzer.things import START


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def of(namespace: str, number: int, minute: float = 0, *limits: Limit) -> Rollout:
    return Rollout((namespace, f"app-{number}"), at(minute), limits)


def allowed(most: int, scope: str = CLUSTER) -> Limit:
    return Limit(scope, most, "--at-once")


def served(waiting: list[Rollout], running: list[Rollout], began: dict[str, datetime] | None = None) -> list[str]:
    """Whose turn it is, in the order of their names."""
    answers = turns(waiting, running, began or {})
    return sorted(f"{namespace}/{name}" for (namespace, name), why in answers.items() if not why)


def test_without_a_limit_nobody_waits() -> None:
    assert len(served([of("a", n) for n in range(100)], [of("a", n) for n in range(100, 200)])) == 100


def test_of_one_namespace_who_came_first_goes_first() -> None:
    one = allowed(1)
    assert served([of("a", 1, 5, one), of("a", 2, 3, one), of("a", 3, 4, one)], []) == ["a/app-2"]


def test_a_hundred_of_one_team_do_not_hold_up_anothers_one() -> None:
    two = allowed(2)
    hundred = [of("many", n, 0, two) for n in range(100)]
    flying = [of("many", 100, 0, two)]
    assert served([*hundred, of("few", 1, 50, two)], flying, {"many": at(1)}) == ["few/app-1"]


def test_of_two_namespaces_with_nothing_in_flight_the_one_that_began_longest_ago_comes_first() -> None:
    one = allowed(1)
    waiting = [of("a", 1, 0, one), of("b", 1, 10, one)]
    assert served(waiting, [], {"a": at(20)}) == ["b/app-1"]
    assert served(waiting, [], {"a": at(5)}) == ["a/app-1"]


def test_a_namespace_that_is_new_does_not_overtake_one_that_has_waited_for_longer() -> None:
    one = allowed(1)
    assert served([of("old", 2, 0, one), of("new", 1, 30, one)], [], {"old": at(10)}) == ["old/app-2"]


def test_what_its_own_namespace_or_policy_has_no_room_for_lets_others_pass() -> None:
    cluster, mine = allowed(3), allowed(1, "namespace a")
    strict = allowed(1, "CanaryPolicy strict")
    flying = [of("a", 0, 0, mine, cluster), of("b", 0, 0, strict, cluster)]
    waiting = [of("a", 1, 0, mine, cluster), of("b", 1, 1, strict, cluster), of("b", 2, 2, cluster)]
    assert served(waiting, flying) == ["b/app-2"]


def test_a_namespace_gains_nothing_by_having_been_idle() -> None:
    one = allowed(1)
    assert served([of("busy", 2, 50, one), of("idle", 1, 90, one)], [], {"busy": at(20), "idle": at(10)}) == [
        "busy/app-2"
    ]


def test_who_cannot_begin_anyway_does_not_stand_in_front_of_the_others_of_his_namespace() -> None:
    cluster, strict = allowed(2), allowed(1, "CanaryPolicy strict")
    kept_back = [of("a", n, n, strict, cluster) for n in (1, 2)]
    waiting = [*kept_back, of("a", 3, 3, cluster), of("b", 1, 4, cluster)]
    assert served(waiting, [of("c", 0, 0, strict, cluster)]) == ["a/app-3"]


def test_the_reason_names_the_place_and_the_narrowest_limit_that_is_reached() -> None:
    cluster, mine = allowed(1), Limit("namespace a", 1, "annotation detour.dev/rollouts-at-once")
    flying = [of("a", 0, 0, mine, cluster)]
    answers = turns([of("a", 1, 0, mine, cluster), of("b", 1, 1, cluster), of("c", 1, 2, cluster)], flying, {})
    assert list(answers.values()) == [
        "queued, place 1: the cluster allows 1 rollout at once (--at-once)",
        "queued, place 2: the cluster allows 1 rollout at once (--at-once)",
        "queued, place 1: namespace a allows 1 rollout at once (annotation detour.dev/rollouts-at-once)",
    ]


def test_far_behind_no_exact_place_is_told_or_each_would_be_written_whenever_one_begins() -> None:
    limit = allowed(1)
    flying, waiting = [of("a", 0, 0, limit)], [of("a", n, n, limit) for n in range(1, 301)]
    before, after = turns(waiting, flying, {}), turns(waiting[1:], [of("a", 1, 0, limit)], {})
    assert before["a", "app-10"].startswith("queued, place 10: ")
    assert before["a", "app-11"].startswith("queued, behind more than 10: ")
    assert before["a", "app-300"].startswith("queued, behind more than 200: ")
    assert sum(before[key] != after[key] for key in after) <= 16


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", "", "07", "9" * 99, "\x1b[31m"])
def test_a_limit_that_cannot_be_read_lets_nothing_begin_and_says_what_to_write(text: str) -> None:
    found = annotated({"metadata": {"annotations": {AT_ONCE: text}}}, "namespace a")
    assert found is not None
    why = turns([of("a", 1, 0, found)], [], {})["a", "app-1"]
    assert why.startswith(
        "queued, place 1: namespace a allows 0 rollouts at once (annotation detour.dev/rollouts-at-once is "
    )
    assert why.endswith(": write 1 or more, or take it away)")
    assert why.isprintable()


def test_a_namespace_states_its_limit_or_none() -> None:
    assert annotated({"metadata": {"annotations": {AT_ONCE: "3"}}}, "namespace a") == Limit(
        "namespace a", 3, "annotation detour.dev/rollouts-at-once"
    )
    assert annotated({"metadata": {}}, "namespace a") is annotated(None, "namespace a") is None


namespaces = st.sampled_from("abc")
limits = st.builds(
    lambda cluster, own, policy: (own, policy, cluster), st.integers(1, 5), st.integers(1, 3), st.integers(1, 3)
)


@given(st.lists(st.tuples(namespaces, st.booleans(), st.booleans(), st.integers(0, 9)), max_size=40), limits)
def test_turns_never_go_above_a_limit_and_leave_no_place_that_somebody_could_have(
    rollouts: list[tuple[str, bool, bool, int]], most: tuple[int, int, int]
) -> None:
    flying: list[Rollout] = []
    waiting: list[Rollout] = []
    for number, (namespace, strict, flies, minute) in enumerate(rollouts):
        stated = [allowed(most[0], f"namespace {namespace}"), allowed(most[2])]
        stated[1:1] = [allowed(most[1], "CanaryPolicy strict")] if strict else []
        (flying if flies else waiting).append(of(namespace, number, minute, *stated))
    answers = turns(waiting, flying, {})
    before = Counter(limit.scope for each in flying for limit in each.limits)
    after = before + Counter(limit.scope for each in waiting if not answers[each.key] for limit in each.limits)
    for each in waiting:
        room = [limit.most - after[limit.scope] for limit in each.limits]
        if answers[each.key]:
            assert min(room) <= 0
        else:
            assert min(room) >= 0
