"""When the demo says that all went well, and when it must not."""

from dataclasses import replace
from typing import Any

import pytest

from detour.demo.figures import Answer, Step, Tally, Trial
from detour.demo.record import Moment, Record
from detour.demo.report import Order, Report, Shipment, conclude, problems, summary

GOOD = Shipment(
    "6.0.1",
    "Succeeded",
    "Succeeded",
    "every check passed",
    ("success rate 100.00",),
    ((20, 19.5),),
    1.5,
    4.0,
    20,
    26,
    33,
)
BAD = Shipment("errors", "Failed", "Failed", "success rate 66.00 < 99", (), ((20, None),), 1.5, 4.0, None, 12.0, 20.0)
MOMENTS = (Moment(98.0, "6.0.0", True, {"6.0.0": 2}), Moment(120.0, "6.0.1", True, {"6.0.0": 1, "6.0.1": 1}))
FINE = Report((GOOD, BAD), 1000, 990, 10, {}, 0, MOMENTS, 100.0)


def test_two_expected_ends_and_no_failed_request_are_no_problem() -> None:
    assert problems(FINE) == ()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"failures": {"status 502": (101.0, 102.0, 103.0)}}, "requests failed: 3 × status 502"),
        ({"strays": 2}, "2 requests were answered by the canary while its weight was 0"),
        ({"sent": 0}, "no request was sent"),
        ({"shipments": (GOOD,)}, "not both versions were shipped"),
        (
            {"moments": (*MOMENTS, Moment(130.0, "errors", False, {}))},
            "the primary ran errors, which no analysis had passed",
        ),
        (
            {"shipments": (replace(GOOD, outcome="Failed", message="too slow"), BAD)},
            "6.0.1 should have been promoted: Failed (too slow)",
        ),
        (
            {"shipments": (GOOD, replace(BAD, outcome="Succeeded", message=""))},
            "errors should have been rolled back: Succeeded",
        ),
        (
            {"shipments": (GOOD, replace(BAD, outcome="", message=""))},
            "errors should have been rolled back: no outcome",
        ),
    ],
)
def test_each_broken_promise_is_a_problem_and_is_in_the_summary(change: dict[str, Any], problem: str) -> None:
    report = replace(FINE, **change)
    assert problems(report) == (problem,)
    assert f"NOT AS PROMISED: {problem}" in summary(report)


def test_the_bad_versions_own_errors_are_told_but_are_no_problem() -> None:
    assert "  10 errors of the bad version itself reached users while it was on trial" in summary(FINE)


def test_failed_requests_are_told_with_their_reasons_and_times() -> None:
    lines = summary(replace(FINE, failures={"ReadTimeoutError": (107.25,), "status 502": (103.0, 104.0, 105.0)}))
    assert "  sent 1000, answered well 990, failed 4" in lines
    assert "    1 × ReadTimeoutError, at 7.2 s" in lines
    assert "    3 × status 502, from 3.0 s to 5.0 s" in lines


def test_the_account_has_every_failure_under_its_reason() -> None:
    tally = Tally()
    for at, why in ((3.0, "status 502"), (1.0, "status 502"), (2.0, "ReadTimeoutError")):
        tally.add(Answer(at, 0.1, failure=why))
    assert conclude((), Record(), tally).failures == {"ReadTimeoutError": (2.0,), "status 502": (1.0, 3.0)}


def test_the_summary_tells_times_since_the_command_and_what_the_primary_ran() -> None:
    text = "\n".join(summary(FINE))
    assert "  sent 1000, answered well 990, failed 0" in text
    assert "     1.5 s  canary Deployment exists" in text
    assert "    33.0 s  promoted, nothing left over" in text
    assert "    20.0 s  rolled back, nothing left over" in text
    assert "6.0.1: promoted (every check passed)" in text
    assert "  canary's weight → its share in the answers: 20 % → 19.5 %" in text
    assert "    20.0 s  template 6.0.1   pods 1 × 6.0.0, 1 × 6.0.1" in text
    assert text.endswith("No request failed, and the primary ran nothing that was not proven.")


def test_times_are_taken_from_what_happened_between_the_command_and_the_end() -> None:
    record = Record(canaries=[5.0, 11.0, 51.0], trials=[Trial(13.0, 30.0), Trial(53.0, 60.0)], moments=list(MOMENTS))
    record.steps = [Step(20, 13.0, 18.0), Step(40, 18.0, 30.0), Step(20, 53.0, 60.0)]
    record.moments = [Moment(0.0, "6.0.0", True, {}), Moment(28.0, "6.0.1", True, {})]
    tally = Tally()
    for at in (14.0, 54.0):
        tally.add(Answer(at, 0.1, pod="podinfo-canary-a-b", version="x"))
    first = Order("6.0.1", "Succeeded", 10.0, 40.0, {"outcome": "Succeeded", "message": "m", "checks": ["c"]})
    second = Order("errors", "Failed", 50.0, 170.0, None)
    report = conclude((first, second), record, tally)
    good, bad = report.shipments
    assert (good.canary, good.answered, good.switched, good.withdrawn, good.ended) == (1.0, 4.0, 18.0, 20.0, 30.0)
    assert (good.outcome, good.message, good.checks) == ("Succeeded", "m", ("c",))
    assert (bad.canary, bad.answered, bad.switched, bad.withdrawn, bad.ended) == (1.0, 4.0, None, 10.0, None)
    assert good.shares == ((20, 100.0), (40, None))
    assert bad.shares == ((20, 100.0),)
    assert report.strays == 0
