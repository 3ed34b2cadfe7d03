"""The changelog: what is not yet released becomes a version's section, and only if there is something to tell."""

from datetime import date

import pytest

from release import changelog
from sandbox.errors import UserError

DAY = date(2026, 11, 23)
TEXT = """# Changelog

Preface.

## [Unreleased]

### Added

- A thing.

## [0.9.1] - 2026-10-01

### Fixed

- Another.

## [0.10.0] - 2026-11-01

- Newer by number, not by place.
"""


def test_what_is_unreleased_becomes_the_section_of_the_version_and_nothing_is_unreleased() -> None:
    text = changelog.release(TEXT, "1.0.0", DAY)
    assert "## [Unreleased]\n\n## [1.0.0] - 2026-11-23\n\n### Added\n\n- A thing.\n\n## [0.9.1]" in text
    assert changelog.notes(text, "1.0.0") == "### Added\n\n- A thing."
    with pytest.raises(UserError, match="nothing under"):
        changelog.unreleased(text)


def test_the_rest_of_the_file_stays_as_it_is() -> None:
    before, after = TEXT.split("## [Unreleased]")
    text = changelog.release(TEXT, "1.0.0", DAY)
    assert text.startswith(before)
    assert text.endswith(after)


def test_a_heading_without_an_entry_is_nothing_to_tell() -> None:
    with pytest.raises(UserError, match="say there what users will notice"):
        changelog.release(TEXT.replace("- A thing.\n", ""), "1.0.0", DAY)


@pytest.mark.parametrize("name", ["0.10.0", "0.9.9", "0.9.1", "0.2.0"])
def test_a_version_that_is_not_higher_than_all_before_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=r"is not newer than 0\.10\.0"):
        changelog.release(TEXT, name, DAY)


def test_a_changelog_without_the_heading_says_which_to_add() -> None:
    with pytest.raises(UserError, match=r"no section ## \[Unreleased\]"):
        changelog.release("# Changelog\n", "1.0.0", DAY)


def test_the_first_version_may_be_any() -> None:
    first = TEXT[: TEXT.index("## [0.9.1]")]
    assert "## [0.0.1] - 2026-11-23" in changelog.release(first, "0.0.1", DAY)
