"""When a scenario holds, and what the evidence says of it; and that every one can be played at all."""

from dataclasses import replace

import pytest

from analyzer.spec import parse
from tests.bench.answers import Answer, tally
from tests.scenarios.report import evidence, summary
from tests.scenarios.result import Result
from tests.scenarios.scenario import Scenario, scenarios
from tests.scenarios.shopfront import Shopfront
from tests.scenarios.wire import Stretch

GOOD = [Answer(number, 0.0, 0.0, 0.01, True, "podinfo-1", "6.0.1") for number in range(10)]
BAD = Answer(10, 0.0, 0.0, 0.01, True, failure="status 502")
HELD = Result(
    "a-scenario",
    "Flagger",
    "6.0.1 by 20 %: promoted.",
    "Succeeded",
    30.0,
    {"users": tally(GOOD)},
    {"users": [Stretch(0, 0, 0.0, 40), Stretch(20, 20, 19.5, 80)]},
)


def test_a_scenario_holds_if_no_request_failed_and_the_wire_was_as_the_canary_said() -> None:
    assert HELD.holds
    assert HELD.shares == "20 %: 19.5 % of 80"


@pytest.mark.parametrize(
    ("other", "complaint"),
    [
        (replace(HELD, tallies={"users": tally([*GOOD, BAD])}), "1 requests failed"),
        (replace(HELD, wire=["the weights were (20,), not (20, 40)"]), "the weights were (20,), not (20, 40)"),
        (replace(HELD, left=["Ingress podinfo-canary"]), "left over: Ingress podinfo-canary"),
        (replace(HELD, problem="AssertionError: no"), "AssertionError: no"),
        (replace(HELD, tallies={"users": tally([])}), "no requests were sent, so nothing is shown"),
    ],
)
def test_whatever_is_otherwise_is_told(other: Result, complaint: str) -> None:
    assert other.complaints == [complaint]


def test_the_evidence_tells_what_holds_from_what_does_not() -> None:
    page = evidence([HELD, replace(HELD, name="other", problem="no")], ["commit abc"], 60.0)
    assert "| a-scenario | Flagger | holds | 30 | 10 | 0 | 20 %: 19.5 % of 80 | Succeeded |" in page
    assert "| other | Flagger | DOES NOT HOLD |" in page
    assert "* DOES NOT HOLD: no" in page
    assert summary([HELD]) == "1 of 1 scenarios hold; 10 requests, 0 failed"


def test_what_was_played_twice_says_so_and_what_it_was_at_first() -> None:
    again = replace(HELD, first=["1 requests failed"])
    page = evidence([again], ["commit abc"], 60.0)
    assert "| a-scenario | Flagger | holds the second time |" in page
    assert "* the first time it did not hold: 1 requests failed" in page
    assert summary([again]) == "1 of 1 scenarios hold, 1 of them were played twice; 10 requests, 0 failed"


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda scenario: scenario.name)
def test_every_scenario_writes_a_canary_that_can_be_read(scenario: Scenario) -> None:
    spec = parse(Shopfront("scene", **scenario.options).canary())
    assert spec.target == "podinfo"
