"""For how long others are thought deaf, by what our own requests met."""

from analyzer.kube.outage import LONGEST_DEAF, Outage


class Time:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def told(*requests: tuple[float, float, bool]) -> tuple[Outage, Time]:
    """Requests by when they began and ended, and whether they were answered."""
    clock = Time()
    outage = Outage(clock)
    for began, ended, answered in requests:
        clock.now = ended
        outage.told(began, answered=answered)
    return outage, clock


def test_nobody_is_deaf_where_every_request_is_answered() -> None:
    outage, _ = told((100, 101, True), (101, 102, True))
    assert outage.others_deaf == 0


def test_others_are_deaf_for_twice_as_long_as_the_server_was_away() -> None:
    outage, clock = told((100, 101, True), (102, 105, False), (106, 109, False), (111, 112, True))
    assert outage.others_deaf == 20
    clock.now += 15
    assert outage.others_deaf == 5
    clock.now += 15
    assert outage.others_deaf == 0


def test_nobody_pauses_for_ever() -> None:
    outage, _ = told((100, 103, False), (4000, 4001, True))
    assert outage.others_deaf == LONGEST_DEAF


def test_what_fails_late_says_nothing_once_another_has_been_answered() -> None:
    outage, _ = told((100, 101, True), (102, 103, True), (101.5, 111, False), (112, 113, True))
    assert outage.others_deaf == 0


def test_a_short_outage_after_a_long_one_makes_nobody_hear_sooner() -> None:
    outage, _ = told((100, 103, False), (119, 120, True), (121, 121.1, False), (121.2, 121.2, True))
    assert outage.others_deaf > 38
