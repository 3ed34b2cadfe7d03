"""CHANGELOG.md, in the form of https://keepachangelog.com: what is not yet released becomes a version's own section."""

import re
from datetime import date

from release import version
from sandbox.errors import UserError

FILE = "CHANGELOG.md"
_UNRELEASED = "## [Unreleased]"
_HEADING = re.compile(r"^## \[(.+?)\].*$", re.MULTILINE)


def unreleased(text: str) -> str:
    """What the next version brings. Raises UserError when nothing is told of it."""
    entries = _section(text, "Unreleased")
    if not re.search(r"^- ", entries, re.MULTILINE):
        raise UserError(f"{FILE} has nothing under {_UNRELEASED}: say there what users will notice")
    return entries


def check_newer(text: str, wanted: str) -> None:
    """Raises UserError unless this version is higher than every one that the changelog tells of."""
    released = [name for name in _HEADING.findall(text) if name != "Unreleased"]
    newest = max(released, key=version.parse, default=None)
    if newest is not None and version.parse(wanted) <= version.parse(newest):
        raise UserError(f"{wanted} is not newer than {newest}, which {FILE} tells of: give a higher VERSION")


def release(text: str, name: str, day: date) -> str:
    """The text with the unreleased entries under the version's heading, and none unreleased."""
    check_newer(text, name)
    unreleased(text)
    return text.replace(_UNRELEASED, f"{_UNRELEASED}\n\n## [{name}] - {day.isoformat()}", 1)


def notes(text: str, name: str) -> str:
    """What a version brings, as the message of its tag."""
    return _section(text, name)


def _section(text: str, name: str) -> str:
    headings = list(_HEADING.finditer(text))
    for number, heading in enumerate(headings):
        if heading[1] == name:
            end = headings[number + 1].start() if number + 1 < len(headings) else len(text)
            return text[heading.end() : end].strip()
    raise UserError(f"{FILE} has no section ## [{name}]: add it")
