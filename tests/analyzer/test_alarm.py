"""What is to be done later is done in the order of its time."""

import threading
from functools import partial

from analyzer.alarm import Alarm
from tests.cluster.kubectl import eventually


def test_it_rings_in_the_order_of_the_time() -> None:
    alarm, rung = Alarm(), list[str]()
    for seconds, name in ((0.3, "third"), (0.1, "first"), (0.2, "second")):
        alarm.set(seconds, partial(rung.append, name))
    eventually(lambda: len(rung) == 3, "all of them", 5)
    assert rung == ["first", "second", "third"]


def test_what_is_far_away_keeps_nothing_nearer_waiting() -> None:
    alarm, rung = Alarm(), threading.Event()
    alarm.set(3600.0, lambda: None)
    alarm.set(0.01, rung.set)
    assert rung.wait(5)
