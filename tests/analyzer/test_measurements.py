"""Measurements run beside the workers, one for each application and occasion."""

import threading
from collections.abc import Iterator

import pytest

from analyzer.crew import Crew
from analyzer.measurements import Measurements
from analyzer.metrics.verdict import Check, Result
from tests.cluster.kubectl import eventually

KEY = ("shop", "podinfo")
FIRST, SECOND = ("1", None), ("2", None)
CHECKS = (Check("success", Result.PASSED, "fine"),)


class Provider:
    """Answers when it is let."""

    def __init__(self) -> None:
        self.asked = 0
        self.may_answer = threading.Event()
        self._lock = threading.Lock()

    def __call__(self) -> tuple[Check, ...]:
        with self._lock:
            self.asked += 1
        assert self.may_answer.wait(10)
        return CHECKS


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.may_answer.set()


def test_an_answer_touches_the_application_and_is_taken_once(provider: Provider) -> None:
    touched: list[object] = []
    measurements = Measurements(touched.append)
    measurements.start(KEY, FIRST, provider)
    assert measurements.take(KEY, FIRST) is None
    provider.may_answer.set()
    eventually(lambda: touched == [KEY], "touched", 5)
    assert measurements.take(KEY, FIRST) == CHECKS
    assert measurements.take(KEY, FIRST) is None


def test_the_same_measurement_is_not_begun_twice(provider: Provider) -> None:
    measurements = Measurements(lambda _: None)
    for _ in range(3):
        measurements.start(KEY, FIRST, provider)
    provider.may_answer.set()
    eventually(lambda: measurements.take(KEY, FIRST), "an answer", 5)
    assert provider.asked == 1


def test_an_answer_of_another_occasion_counts_for_nothing(provider: Provider) -> None:
    measurements = Measurements(lambda _: None)
    measurements.start(KEY, FIRST, provider)
    measurements.start(KEY, SECOND, provider)
    provider.may_answer.set()
    eventually(lambda: provider.asked == 2 and measurements.take(KEY, SECOND), "an answer", 5)
    assert measurements.take(KEY, FIRST) is None


def test_a_hundred_canaries_with_slow_gates_delay_no_other_in_their_namespace(provider: Provider) -> None:
    measurements = Measurements(lambda _: None)
    for number in range(100):
        measurements.start(("shop", f"slow-{number}"), FIRST, provider)
    measurements.start(KEY, FIRST, lambda: CHECKS)
    eventually(lambda: measurements.take(KEY, FIRST), "an answer", 5)
    eventually(lambda: provider.asked == 100, "all asked", 5)


def test_a_namespace_whose_gates_are_silent_holds_up_nobody_else(provider: Provider) -> None:
    """It has a share of the threads; what is above that waits, in its order, for its own."""
    measurements = Measurements(lambda _: None, Crew("test", threads=4, share=2))
    for number in range(16):
        measurements.start(("silent", f"app-{number}"), FIRST, provider)
    measurements.start(KEY, FIRST, lambda: CHECKS)
    eventually(lambda: measurements.take(KEY, FIRST), "an answer", 5)
    assert provider.asked == 2
    provider.may_answer.set()
    eventually(lambda: measurements.take(("silent", "app-15"), FIRST), "the last one's answer", 5)
    assert provider.asked == 16


def test_what_waits_for_its_turn_may_be_replaced_or_forgotten(provider: Provider) -> None:
    measurements = Measurements(lambda _: None, Crew("test", threads=2, share=1))
    measurements.start(("shop", "first"), FIRST, provider)
    eventually(lambda: provider.asked, "begun", 5)
    for occasion in (FIRST, SECOND):
        measurements.start(KEY, occasion, provider)
    measurements.start(("shop", "gone"), FIRST, provider)
    measurements.forget(("shop", "gone"))
    provider.may_answer.set()
    eventually(lambda: measurements.take(KEY, SECOND), "an answer", 5)
    assert provider.asked == 2


def test_an_application_that_changes_again_and_again_has_two_threads_at_most(provider: Provider) -> None:
    """Each revision asks a gate that does not answer, and nobody waits for those before it any more."""
    measurements = Measurements(lambda _: None)
    for number in range(20):
        measurements.start(KEY, (str(number), None), provider)
        measurements.forget(KEY)
    measurements.start(KEY, FIRST, provider)
    measurements.start(("shop", "other"), FIRST, lambda: CHECKS)
    eventually(lambda: measurements.take(("shop", "other"), FIRST), "the other one's answer", 5)
    assert provider.asked <= 2
    provider.may_answer.set()
    eventually(lambda: measurements.take(KEY, FIRST), "an answer", 5)
    assert provider.asked <= 3


def test_a_measurement_that_raises_gives_its_thread_back() -> None:
    def fail() -> tuple[Check, ...]:
        raise ValueError

    measurements = Measurements(lambda _: None, crew=Crew("test", threads=1, share=1))
    measurements.start(("shop", "faulty"), FIRST, fail)
    measurements.start(KEY, FIRST, lambda: CHECKS)
    eventually(lambda: measurements.take(KEY, FIRST), "an answer", 5)
    assert measurements.take(("shop", "faulty"), FIRST) is None
