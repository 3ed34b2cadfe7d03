"""Of `make scenarios` those that nothing else here has, with fewer users; alone, since shares are counted."""

import pytest

from tests.scenarios.play import play
from tests.scenarios.scenario import Scenario, scenarios

RATE = 20.0  # requests a second of every crowd
HERE = ("step-weight-promotion", "blue-green", "blue-green-without-routes", "adoption")


@pytest.mark.alone
@pytest.mark.parametrize("scenario", [each for each in scenarios() if each.name in HERE], ids=lambda each: each.name)
def test_the_scenario_holds(scenario: Scenario) -> None:
    result = play(scenario, RATE)
    assert result.holds, "\n".join(result.lines)
