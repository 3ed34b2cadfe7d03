"""Of `make scenarios` those that nothing else here has, at once, with fewer users; alone, since shares are counted."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.scenarios.play import play
from tests.scenarios.result import Result
from tests.scenarios.scenario import scenarios

RATE = 20.0  # requests a second of every crowd
HERE = ("step-weight-promotion", "blue-green", "blue-green-without-routes", "adoption")


@pytest.fixture(scope="module")
def results() -> Mapping[str, Result]:
    """What became of each."""
    chosen = [each for each in scenarios() if each.name in HERE]
    with ThreadPoolExecutor(len(chosen)) as pool:
        return {result.name: result for result in pool.map(lambda each: play(each, RATE), chosen)}


@pytest.mark.alone
@pytest.mark.parametrize("name", HERE)
def test_the_scenario_holds(name: str, results: Mapping[str, Result]) -> None:
    assert results[name].holds, "\n".join(results[name].lines)
