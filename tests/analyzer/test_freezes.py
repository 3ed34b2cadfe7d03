"""Windows of time in which no new revision begins."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from analyzer.fields import SpecError
from analyzer.freezes import Frozen, frozen, parse

BERLIN = ZoneInfo("Europe/Berlin")
WEEKEND = {"schedule": "0 16 * * FRI", "duration": "64h", "timeZone": "Europe/Berlin", "reason": "the weekend"}


def at(text: str, *freezes: dict[str, Any]) -> Frozen | None:
    moment = datetime.fromisoformat(text).replace(tzinfo=BERLIN)
    return frozen(parse(freezes or (WEEKEND,)), moment.astimezone(UTC))


@pytest.mark.parametrize("moment", ["2026-11-20 16:00", "2026-11-20 16:00:59", "2026-11-22 10:00", "2026-11-23 07:59"])
def test_within_the_window_nothing_begins(moment: str) -> None:
    found = at(moment)
    assert found
    assert found.text.startswith("frozen until Mon 2026-11-23 08:00 CET (the weekend): ")


@pytest.mark.parametrize("moment", ["2026-11-20 15:59:59", "2026-11-23 08:00", "2026-11-25 12:00"])
def test_outside_of_it_everything_goes_on(moment: str) -> None:
    assert at(moment) is None


def test_it_says_for_how_long() -> None:
    found = at("2026-11-23 07:00")
    assert found
    assert found.left == 3600


def test_of_two_windows_the_one_that_ends_last_counts() -> None:
    shorter = {"schedule": "0 16 * * *", "duration": "2h", "timeZone": "Europe/Berlin"}
    found = at("2026-11-20 17:00", shorter, WEEKEND)
    assert found
    assert found.left == 63 * 3600


def test_a_window_across_the_change_of_clocks_has_its_length() -> None:
    found = at("2026-10-24 16:00", {"schedule": "0 16 * * SAT", "duration": "24h", "timeZone": "Europe/Berlin"})
    assert found
    assert found.left == 24 * 3600
    assert "Sun 2026-10-25 15:00 CET" in found.text


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"schedule": "16 FRI"}, "spec.freezes[0].schedule"),
        ({"schedule": "61 16 * * FRI"}, "spec.freezes[0].schedule"),
        ({"timeZone": "Berlin"}, "spec.freezes[0].timeZone"),
        ({"timeZone": "../../etc/passwd"}, "spec.freezes[0].timeZone"),
        ({"duration": "64"}, "spec.freezes[0].duration"),
    ],
)
def test_what_is_wrong_is_named_with_its_remedy(change: dict[str, str], field: str) -> None:
    with pytest.raises(SpecError, match="write it like") as caught:
        parse([WEEKEND | change])
    assert caught.value.field == field
