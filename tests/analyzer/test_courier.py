"""What nobody waits for: it arrives in order, is tried again, and is given up in the end."""

import threading
from collections.abc import Callable
from functools import partial

import pytest

from analyzer import courier
from analyzer.courier import Answer, Arrived, Courier, Delivery, Later, Never
from analyzer.crew import Crew
from tests.cluster.kubectl import eventually

LANE = ("shop", "podinfo", "chat")
OTHER = ("shop", "podinfo", "pager")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(courier, "LONGEST_PAUSE", 0.02)


class Destination:
    """Answers with each of `answers` in turn, and with the last one from then on."""

    def __init__(self, *answers: Answer) -> None:
        self.arrived: list[str] = []
        self.over: list[tuple[str, object]] = []
        self.tries = 0
        self._answers = list(answers)

    def delivery(self, what: str, lasts: float = 10.0) -> Delivery:
        return Delivery(what, partial(self._attempt, what), lasts, lambda answer: self.over.append((what, answer)))

    def _attempt(self, what: str) -> Answer:
        self.tries += 1
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Arrived):
            self.arrived.append(what)
        return answer


def until(condition: Callable[[], object]) -> None:
    eventually(condition, "delivered", 5)


def test_what_is_sent_one_way_arrives_in_order() -> None:
    destination, sender = Destination(Later("503"), Later("503"), Arrived()), Courier()
    for number in range(20):
        sender.send(LANE, destination.delivery(str(number)))
    until(lambda: len(destination.over) == 20)
    assert destination.arrived == [str(number) for number in range(20)]
    assert destination.tries == 22


def test_it_is_told_once_what_came_of_it() -> None:
    destination, sender = Destination(Later("503"), Arrived("thanks")), Courier()
    sender.send(LANE, destination.delivery("news"))
    until(lambda: destination.over)
    assert destination.over == [("news", Arrived("thanks"))]


def test_what_is_refused_is_not_tried_again() -> None:
    destination, sender = Destination(Never("404 Not Found")), Courier()
    sender.send(LANE, destination.delivery("news"))
    until(lambda: destination.over)
    assert (destination.tries, destination.over) == (1, [("news", Never("404 Not Found"))])


def test_what_never_arrives_is_given_up_when_its_time_is_over() -> None:
    destination, sender = Destination(Later("nobody there")), Courier()
    sender.send(LANE, destination.delivery("news", lasts=0.1))
    until(lambda: destination.over)
    assert destination.over == [("news", Never("nobody there"))]
    assert destination.tries > 1


def test_a_destination_says_itself_when_it_wants_to_be_asked_again() -> None:
    destination, sender = Destination(Later("429", seconds=3600.0)), Courier()
    sender.send(LANE, destination.delivery("news", lasts=60))
    until(lambda: destination.over)
    assert destination.tries == 1


def test_a_destination_that_is_away_keeps_nobody_else_waiting() -> None:
    """It does not even keep a thread."""
    away, here = Destination(Later("nobody there", seconds=3600.0)), Destination(Arrived())
    sender = Courier(Crew("test", threads=1, share=1))
    sender.send(LANE, away.delivery("news", lasts=7200))
    sender.send(OTHER, here.delivery("news"))
    until(lambda: here.over)
    assert not away.over


def test_a_destination_that_is_silent_keeps_nobody_else_waiting() -> None:
    over = threading.Event()
    here, sender = Destination(Arrived()), Courier()

    def silent() -> Answer:
        assert over.wait(10)
        return Arrived()

    sender.send(LANE, Delivery("news", silent, lasts=60))
    sender.send(OTHER, here.delivery("news"))
    until(lambda: here.over)
    over.set()


def test_of_what_waits_too_long_the_oldest_goes() -> None:
    over = threading.Event()
    destination, sender = Destination(Arrived()), Courier(most=3)

    def silent() -> Answer:
        assert over.wait(10)
        return Arrived()

    sender.send(LANE, Delivery("first", silent, lasts=60))
    eventually(lambda: not sender._lanes[LANE], "under way", 5)
    for number in range(5):
        sender.send(LANE, destination.delivery(str(number)))
    assert destination.over == [(each, Never(courier.MISSED)) for each in ("0", "1")]
    over.set()
    until(lambda: len(destination.over) == 5)
    assert destination.arrived == ["2", "3", "4"]


def test_a_namespace_with_very_many_destinations_keeps_no_more_than_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier, "MOST_OF_ONE", 2)
    over, away, here = threading.Event(), Destination(Arrived()), Destination(Arrived())
    sender = Courier(Crew("test", threads=2, share=1), most=3)

    def silent() -> Answer:
        assert over.wait(10)
        return Arrived()

    sender.send(("busy", "app", "0"), Delivery("first", silent, lasts=60))
    for number in range(1, 20):
        sender.send(("busy", "app", str(number)), away.delivery(str(number)))
    assert len(away.over) in (13, 14)  # the first one waits, too, until its thread is there
    sender.send(LANE, here.delivery("news"))
    until(lambda: here.over)
    over.set()
    until(lambda: len(away.over) == 19)
    assert [answer for _, answer in away.over].count(Never(courier.MISSED)) in (13, 14)


def test_a_thousand_destinations_that_are_away_cost_no_thread() -> None:
    away, sender = Destination(Later("nobody there", seconds=3600.0)), Courier()
    before = threading.active_count()
    for number in range(1000):
        sender.send(("shop", f"app-{number}", "chat"), away.delivery("news", lasts=7200))
    until(lambda: away.tries == 1000)
    eventually(lambda: threading.active_count() <= before, "no thread is kept", 5)


def test_a_fault_of_ours_stops_no_lane() -> None:
    destination, sender = Destination(Arrived()), Courier()

    def broken() -> Answer:
        raise ValueError

    def deaf(_: Arrived | Never) -> None:
        raise ValueError

    sender.send(LANE, Delivery("broken", broken, lasts=60, then=deaf))
    sender.send(LANE, destination.delivery("news"))
    until(lambda: destination.over)
    assert destination.arrived == ["news"]
