"""Nothing that was made from something else has stayed behind it."""

import pytest

from tests.charts.generated import from_kustomize, from_schemas
from tests.charts.rendering import ROOT


@pytest.mark.cluster  # its kubectl is the sandbox's
def test_the_charts_objects_are_those_of_the_manifests() -> None:
    stale = [str(path.relative_to(ROOT)) for path, text in from_kustomize().items() if path.read_text() != text]
    assert stale == [], "run `make chart`"


def test_the_values_and_their_table_are_those_of_the_schema() -> None:
    stale = [str(path.relative_to(ROOT)) for path, text in from_schemas().items() if path.read_text() != text]
    assert stale == [], "run `make chart`"
