"""The queue at work: never above a limit, nobody starves, and what is stored is all that it takes."""

import os
from dataclasses import replace
from datetime import timedelta
from itertools import count
from threading import Thread
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.agenda import Key
from analyzer.policy import canary_by
from analyzer.seen import Primary
from analyzer.wishes import Verb, Wish
from tests.analyzer.crowd import HOME, Crowd
from tests.analyzer.things import V1, V2, V3

PODINFO = ("shop", "podinfo")


def apps(namespace: str, number: int, first: int = 0) -> list[Key]:
    return [(namespace, f"app-{n:03}") for n in range(first, first + number)]


def crowd(most: int, *keys: Key) -> Crowd:
    """One whose applications have all been updated, one after the other."""
    found = Crowd(most)
    found.update(*keys)
    found.work()
    return found


def test_no_more_than_the_limit_begin_and_the_others_see_their_place_and_why() -> None:
    found = crowd(2, *apps("shop", 4))
    assert found.began == apps("shop", 2)
    assert [found.status(key).problem for key in found.waiting] == [
        "queued, place 1: the cluster allows 2 rollouts at once (--at-once)",
        "queued, place 2: the cluster allows 2 rollouts at once (--at-once)",
    ]
    assert "New revision of app-002.shop waits: queued, place 1: " in " ".join(found.told)


def test_whoever_comes_first_goes_first_and_nothing_is_told_or_written_twice() -> None:
    found = crowd(1, *apps("shop", 30))
    for number in range(29):
        before = found.writes
        found.land(found.flying[0])
        found.work()
        assert found.writes - before <= 13, "the first ten of the queue, who begins, and who comes nearer"
        assert found.began[-1] == ("shop", f"app-{number + 1:03}")
    assert sum(" waits: " in text for text in found.told) == 29


def test_at_rest_nobody_in_the_queue_is_looked_at() -> None:
    found = crowd(1, *apps("shop", 5))
    before = found.writes
    found.restart()
    found.work()
    assert (found.writes, found.due) == (before, [])


def test_a_hundred_of_one_team_do_not_hold_up_anothers_one() -> None:
    found = crowd(4, *apps("many", 100))
    found.update(("few", "urgent"))
    found.work()
    assert found.status(("few", "urgent")).problem.startswith("queued, place 1: ")
    found.land(found.flying[0])
    found.work()
    assert found.began[-1] == ("few", "urgent")


def test_deleting_a_canary_that_is_in_flight_frees_its_place() -> None:
    found = crowd(1, *apps("shop", 2))
    found.delete(found.flying[0])
    found.work()
    assert found.flying == [("shop", "app-001")]


def test_deleting_one_that_waits_lets_the_others_move_up() -> None:
    found = crowd(1, *apps("shop", 4))
    found.delete(("shop", "app-001"))
    found.work()
    assert [found.status(key).problem.split(":")[0] for key in found.waiting] == ["queued, place 1", "queued, place 2"]


def test_limits_of_a_namespace_are_changed_at_run_time() -> None:
    found = crowd(0, *apps("shop", 2), *apps("other", 2))
    assert len(found.flying) == 4
    found.allow("shop", 3)
    found.update(*apps("shop", 4, first=2))
    found.work()
    assert found.began[4:] == [("shop", "app-002")]
    waits = "queued, place 1: namespace shop allows 3 rollouts at once (annotation detour.dev/rollouts-at-once)"
    assert found.status(("shop", "app-003")).problem == waits
    found.allow("shop", 4)
    found.work()
    assert found.began[5:] == [("shop", "app-003")]
    found.allow("shop", 1)
    found.land(("shop", "app-000"))
    found.work()
    assert len(found.began) == 6
    found.allow("shop", None)
    found.work()
    assert len(found.waiting) == 0


def test_the_clusters_limit_is_changed_at_run_time_on_detours_own_namespace() -> None:
    found = crowd(1, *apps("shop", 3))
    found.allow(HOME, 2)
    found.work()
    assert len(found.flying) == 2
    why = "queued, place 1: the cluster allows 2 rollouts at once (annotation detour.dev/rollouts-at-once)"
    assert found.status(found.waiting[0]).problem == why
    found.allow(HOME, None)
    found.land(found.flying[0])
    found.work()
    assert len(found.flying) == 1


def by_policy(key: Key) -> dict[str, Any]:
    """The metadata that a policy gives a Canary of this crowd."""
    spec = {"analysis": {"interval": "10s", "threshold": 1, "stepWeight": 50}, "atOnce": 1}
    target = {"metadata": {"namespace": key[0], "name": key[1], "uid": "1"}}
    return canary_by({"metadata": {"name": "strict"}, "spec": spec}, target)


def test_a_policy_limits_those_that_go_by_it_in_all_namespaces_together() -> None:
    found = Crowd(limits_of_policies={"strict": 1})
    for namespace in "abc":
        given_by = by_policy((namespace, "app"))
        found.adopt((namespace, "app"), given_by["metadata"])
        found.stored[namespace, "app"]["spec"] = given_by["spec"]
    found.update(("a", "app"), ("b", "app"), ("c", "app"), ("c", "own"))
    found.work()
    assert found.began == [("a", "app"), ("c", "own")]
    assert (
        found.status(("b", "app")).problem
        == "queued, place 1: CanaryPolicy strict allows 1 rollout at once (its atOnce)"
    )


@pytest.mark.parametrize("down", [True, False])
def test_neither_a_fix_for_what_is_down_nor_a_stuck_primary_waits_for_a_place(down: bool) -> None:
    found = crowd(1, *apps("shop", 1))
    found.adopt(PODINFO)
    found.primaries[PODINFO] = Primary(V1, ready=False, down_since=found.now - timedelta(minutes=2) if down else None)
    found.update(PODINFO)
    found.work()
    assert (PODINFO in found.flying) is down


def test_whoever_promotes_by_hand_does_not_wait_for_a_place() -> None:
    found = crowd(1, *apps("shop", 1), PODINFO)
    assert found.waiting == [PODINFO]
    found.wishes[PODINFO] = Wish(f"promote {V2} 1", Verb.PROMOTE, V2, by="ann")
    found.touch(PODINFO)
    found.work()
    assert PODINFO in found.flying


def test_what_goes_directly_does_not_wait_for_a_place() -> None:
    found = crowd(1, *apps("shop", 1))
    found.direct = "directly, as the namespace says"
    found.update(PODINFO)
    found.work()
    assert PODINFO in found.flying
    found.direct = ""
    found.adopt(("shop", "web"))
    found.primaries["shop", "web"] = Primary(V1, at_once="back to a proven revision")
    found.update(("shop", "web"))
    found.work()
    assert ("shop", "web") in found.flying


def test_what_waits_for_something_else_takes_nobodys_place_and_keeps_its_time() -> None:
    found = crowd(1, *apps("shop", 3))
    second, third = found.waiting
    found.primaries[second] = replace(found.primaries[second], paused=True)
    found.touch(second)
    found.work()
    assert found.status(third).problem.startswith("queued, place 1: ")
    found.primaries[second] = replace(found.primaries[second], paused=False)
    found.touch(second)
    found.work()
    assert found.status(second).problem.startswith("queued, place 1: ")
    assert found.status(third).problem.startswith("queued, place 2: ")


def superseded(found: Crowd, key: Key) -> None:
    """A newer revision comes while it is in flight, and its way out takes its time."""
    found.primaries[key] = replace(found.primaries[key], stash=V3)
    for _ in range(4):
        found.touch(key)
        found.work()
        found.pass_time(10)


def test_a_newer_revision_goes_on_in_the_place_of_the_older_one_if_nobody_waits() -> None:
    found = crowd(1, PODINFO)
    superseded(found, PODINFO)
    assert (found.flying, found.status(PODINFO).revision) == ([PODINFO], V3)


def test_whoever_is_superseded_again_and_again_does_not_keep_the_others_out() -> None:
    found = crowd(1, PODINFO, ("other", "web"))
    superseded(found, PODINFO)
    assert found.flying == [("other", "web")]
    assert found.status(PODINFO).problem.startswith("queued, place 1: ")


def test_who_fails_at_beginning_is_passed_over_and_does_not_block_the_queue() -> None:
    found = crowd(1, *apps("shop", 3))
    first, second = found.waiting
    found.failing = {first}
    found.land(found.flying[0])
    with pytest.raises(OSError, match="cannot be stored"):
        found.work()
    found.work()
    assert found.flying == [second]
    found.failing = set()
    found.land(second)
    found.touch(first)
    found.work()
    assert found.flying == [first]


def test_a_status_that_somebody_has_made_unreadable_keeps_nobody_else_waiting() -> None:
    found = crowd(1, *apps("shop", 2))
    first = found.flying[0]
    odd = {**found.stored[first]["status"], "startTime": "yesterday"}
    found.stored[first] = {**found.stored[first], "status": odd}
    found.touch(first)
    with pytest.raises(ValueError, match="yesterday"):
        found.work()
    found.work()
    assert found.status(("shop", "app-001")).phase.in_flight


def test_sixteen_workers_at_once_never_give_a_place_twice() -> None:
    found = Crowd(5, storing=0.002)
    keys = apps("shop", 40) + apps("other", 40)
    for key in keys:
        found.adopt(key)
        found.primaries[key] = Primary(V1, stash=V2)
    numbers = count()

    def worker() -> None:
        while (number := next(numbers)) < len(keys):
            found.attend(keys[number])

    threads = [Thread(target=worker) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(found.flying), found.highest) == (5, 5)
    assert len(found.waiting) == 75


KEYS = apps("a", 4) + apps("b", 3) + apps("c", 2)
steps = st.lists(
    st.tuples(st.sampled_from(["update", "land", "delete", "restart", "raise", "lower"]), st.sampled_from(KEYS)),
    max_size=40,
)


def act(found: Crowd, step: str, key: Key) -> None:
    match step:
        case "update":
            found.update(key)
        case "land" if key in found.flying:
            found.land(key)
        case "delete" if key in found.stored:
            found.delete(key)
        case "restart":
            found.restart()
        case "raise":
            found.allow(key[0], 2)
        case "lower":
            found.allow(key[0], 1)


@settings(max_examples=int(os.environ.get("EXAMPLES", "100")))
@given(steps)
def test_whatever_happens_nothing_begins_above_a_limit_and_no_place_stays_empty(script: list[tuple[str, Key]]) -> None:
    found = Crowd(3)
    for step, key in script:
        act(found, step, key)
        found.work()
        assert found.highest <= 3
        if found.waiting and len(found.flying) < 3:
            full = {
                namespace for namespace, notes in found.notes.items() if _in(found, namespace) >= int(*notes.values())
            }
            assert {key[0] for key in found.waiting} <= full


def _in(found: Crowd, namespace: str) -> int:
    return sum(key[0] == namespace for key in found.flying)


@settings(max_examples=int(os.environ.get("EXAMPLES", "60")))
@given(steps, st.integers(0, 40))
def test_a_restart_changes_neither_who_begins_nor_in_which_order(script: list[tuple[str, Key]], after: int) -> None:
    steady, restarted = Crowd(2), Crowd(2)
    for number, (step, key) in enumerate(script):
        for found in (steady, restarted):
            act(found, step, key)
            found.work()
        if number >= after:
            restarted.restart()
            restarted.work()
    assert restarted.began == steady.began
    assert {key: steady.status(key).problem for key in steady.stored} == {
        key: restarted.status(key).problem for key in restarted.stored
    }


@settings(max_examples=int(os.environ.get("EXAMPLES", "20")))
@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 5)), min_size=60, max_size=60), st.integers(1, 3))
def test_nobody_starves_whatever_the_others_do(arrivals: list[tuple[str, int]], most: int) -> None:
    """Rollouts end, the oldest first; the others come again and again, four in each round."""
    found = crowd(most, *apps("a", 3), *apps("b", 3))
    victim = ("a", "victim")
    found.update(victim)
    found.work()
    before = 1 + sum(key[0] == "a" for key in found.waiting)
    for number in range(before * 4 * (most + 1)):
        for namespace, name in arrivals[number * 4 % 60 : number * 4 % 60 + 4]:
            key = (namespace, f"rival-{name}")
            if key not in found.stored or not (found.status(key).phase.in_flight or key in found.waiting):
                found.update(key)
        if victim in found.began:
            return
        found.land(found.flying[0])
        found.work()
    raise AssertionError(f"it still waits: {found.status(victim).problem}")
