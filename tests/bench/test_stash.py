"""The measurement of the stash: what it measures has the size that it says, and what it finds is judged by numbers."""

import pytest

from tests.bench.stash import MOST, SIZES, Stored, deployment, figure
from webhook.revision import canonical


@pytest.mark.parametrize("size", SIZES)
def test_a_template_has_the_size_that_was_asked_for(size: int) -> None:
    template = deployment(size)["spec"]["template"]
    assert size <= len(canonical(template)) < size + 100
    names = [entry["name"] for entry in template["spec"]["containers"][0]["env"]]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(("times", "holds"), [(MOST, True), (MOST + 0.01, False)])
def test_the_figure_holds_up_to_its_limit(times: float, holds: bool) -> None:
    found = figure(3072, Stored(0, round(100_000 * times)), Stored(50_000, 50_000))
    assert found.holds is holds
