"""The clock that canaries are judged by goes on from the API server's time, whatever becomes of the node's."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from analyzer.clock import Clock, since_boot

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_it_begins_where_it_is_told_to_and_runs_with_what_has_elapsed() -> None:
    elapsed = iter([100.0, 100.0, 103.5])
    clock = Clock(NOON, lambda: next(elapsed))
    assert clock() == NOON
    assert clock() == NOON + timedelta(seconds=3.5)


@pytest.mark.parametrize("step", [3600, -3600, 400 * 86400, -86400])
def test_a_step_of_the_nodes_clock_is_not_seen(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    clock = Clock(NOON)
    wall = time.time() + step
    monkeypatch.setattr(time, "time", lambda: wall)
    assert timedelta(0) <= clock() - NOON < timedelta(minutes=10)


def test_what_has_elapsed_never_goes_back() -> None:
    readings = [since_boot() for _ in range(100)]
    assert readings == sorted(readings)
