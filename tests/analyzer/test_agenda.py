"""What is due is taken once, by one worker, and the earliest wish counts."""

import threading

from analyzer.agenda import Agenda

A, B = ("shop", "a"), ("shop", "b")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_is_due_first_is_taken_first() -> None:
    clock = Clock()
    agenda = Agenda(clock)
    agenda.add(A, 2)
    agenda.add(B, 1)
    clock.now = 3
    assert (agenda.take(), agenda.take()) == (B, A)


def test_the_earliest_wish_counts_and_the_others_are_forgotten() -> None:
    clock = Clock()
    agenda = Agenda(clock)
    agenda.add(A, 60)
    agenda.add(A)
    agenda.add(A, 30)
    assert agenda.take() == A
    agenda.done(A)
    assert len(agenda) == 0


def test_what_somebody_works_at_is_not_taken_by_another_but_kept() -> None:
    agenda = Agenda()
    agenda.add(A)
    assert agenda.take() == A
    agenda.add(A)
    agenda.add(B)
    assert agenda.take() == B
    agenda.done(A)
    assert agenda.take() == A


def test_a_wish_that_comes_during_the_work_wakes_the_next_worker() -> None:
    agenda = Agenda()
    agenda.add(A)
    agenda.take()
    agenda.add(A)
    taken: list[object] = []
    waiting = threading.Thread(target=lambda: taken.append(agenda.take()))
    waiting.start()
    agenda.done(A)
    waiting.join(5)
    assert taken == [A]


def test_closing_lets_every_waiting_worker_go() -> None:
    agenda = Agenda()
    taken: list[object] = []
    waiting = threading.Thread(target=lambda: taken.append(agenda.take()))
    waiting.start()
    agenda.close()
    waiting.join(5)
    assert taken == [None]


def test_a_wish_for_a_thousand_years_from_now_kills_no_worker() -> None:
    agenda = Agenda()
    agenda.add(A, 1e11)
    taken: list[object] = []
    waiting = threading.Thread(target=lambda: taken.append(agenda.take()))
    waiting.start()
    waiting.join(0.2)
    agenda.add(B)
    waiting.join(5)
    assert taken == [B]
