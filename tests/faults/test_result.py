"""When a row holds, judged on a few requests that were made up: on the cluster none should ever fail."""

from dataclasses import replace

from tests.bench.answers import Answer, tally
from tests.faults.report import evidence
from tests.faults.result import Result, Slack

GOOD = [Answer(number, 0.0, 0.0, 0.01, True, "podinfo-1", "6.0.1") for number in range(10)]
BAD = Answer(10, 0.0, 0.0, 0.01, True, failure="status 502")
HELD = Result("a-row", "something breaks: promoted", tally(GOOD), tally(GOOD), "Succeeded", (0.5,))


def test_a_row_holds_if_no_more_requests_failed_than_of_the_plain_rolling_update_and_nothing_is_left() -> None:
    assert HELD.holds
    assert replace(HELD, managed=tally([*GOOD, BAD]), plain=tally([*GOOD, BAD])).holds


def test_one_failed_request_more_is_one_too_many() -> None:
    [complaint] = replace(HELD, managed=tally([*GOOD, BAD])).complaints
    assert complaint == "1 requests failed, more than the 0 of the plain rolling update"


def test_the_slack_of_a_row_has_its_reason_beside_it() -> None:
    slack = Slack(1, "both are cut off at another moment")
    assert replace(HELD, managed=tally([*GOOD, BAD]), slack=slack).holds
    [complaint] = replace(HELD, managed=tally([*GOOD, BAD, BAD]), slack=slack).complaints
    assert slack.because in complaint


def test_what_is_left_over_and_what_ended_a_row_early_are_complaints() -> None:
    found = replace(HELD, left=["Ingress podinfo-canary"], problem="AssertionError: no").complaints
    assert found == ["AssertionError: no", "left over: Ingress podinfo-canary"]


def test_a_row_without_requests_shows_nothing() -> None:
    assert not replace(HELD, managed=tally([])).holds


def test_many_recoveries_are_told_by_their_middle_and_their_worst() -> None:
    assert HELD.recovered == "0.5"
    assert replace(HELD, recovery=[1, 2, 3, 9]).recovered == "2.0 (median of 4), 9.0 at most"


def test_the_evidence_tells_a_row_that_does_not_hold_from_one_that_does() -> None:
    page = evidence([HELD, replace(HELD, row="other", managed=tally([*GOOD, BAD]))], ["commit abc"])
    assert "| a-row | something breaks: promoted | 0 of 10 | 0 of 10 | Succeeded | 0.5 | nothing | holds |" in page
    assert "| nothing | DOES NOT HOLD |" in page
    assert "* DOES NOT HOLD: 1 requests failed" in page
