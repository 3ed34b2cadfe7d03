"""The installed webhook under all attacks at once: the row of `make faults`, in its short form."""

import pytest

from tests.faults.play import play
from tests.faults.row import rows
from tests.faults.scene import SHORT


@pytest.mark.alone
def test_while_everybody_attacks_the_webhook_updates_are_diverted_and_promoted() -> None:
    (row,) = (found for found in rows("hostile") if found.name == "webhook-attacked")
    result = play(row, SHORT)
    assert result.holds, "\n".join(result.lines)
