"""Whatever happens to the queue: never above a limit, nobody starves, and what is stored is all that it takes."""

import os
from itertools import count
from threading import Thread

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.agenda import Key
from analyzer.seen import Primary
from tests.analyzer.crowd import Crowd, apps, crowd
from tests.analyzer.things import V1, V2

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
