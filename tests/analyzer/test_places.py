"""The queue at work: who begins, who waits and is told why, and what waits for no place at all."""

from dataclasses import replace
from datetime import timedelta

import pytest

from analyzer.agenda import Key
from analyzer.seen import Primary
from analyzer.wishes import Verb, Wish
from tests.analyzer.crowd import Crowd, apps, crowd
from tests.analyzer.things import V1, V2, V3

PODINFO = ("shop", "podinfo")


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
