"""The rows of `make faults` about our own processes, each in its short form."""

from collections.abc import Iterator

import pytest

from tests.faults.analyzers import Analyzers, analyzers
from tests.faults.play import play
from tests.faults.row import Row, rows
from tests.faults.scene import SHORT


@pytest.fixture(scope="module")
def hosts() -> Iterator[Analyzers]:
    """Analyzers on the host; the installed one leads again at the end."""
    with analyzers() as found:
        yield found


@pytest.mark.alone
@pytest.mark.parametrize("row", rows("processes"), ids=lambda row: row.name)
def test_the_row_holds(row: Row, hosts: Analyzers) -> None:
    result = play(row, SHORT, hosts)
    assert result.holds, "\n".join(result.lines)
