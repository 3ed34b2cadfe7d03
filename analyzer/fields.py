"""Reading single fields of what users write: each error names the field, what is wrong with it, and the remedy."""

import re
from collections.abc import Mapping
from typing import Any

_DURATION = re.compile(r"(\d{1,9})(h|ms|m|s)")
_LONGEST = 30 * 24 * 3600
_MILLISECONDS = {"h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}


class SpecError(Exception):
    """A Canary that cannot be carried out; names the field, what is wrong with it, and the remedy."""

    def __init__(self, field: str, problem: str, remedy: str) -> None:
        super().__init__(f"{field}: {problem}; {remedy}")
        self.field, self.problem, self.remedy = field, problem, remedy

    def of(self, whole: str) -> "SpecError":
        """The same, saying whose field it is."""
        return SpecError(f"{self.field} of {whole}", self.problem, self.remedy)


def duration(text: object, field: str, least: float = 1.0) -> float:
    """Seconds of a duration such as `30s`, `1m` or `1m30s`, `least` or more. Raises SpecError."""
    parts = _DURATION.findall(str(text))
    seconds = sum(int(number) * _MILLISECONDS[unit] for number, unit in parts) / 1000
    if "".join(number + unit for number, unit in parts) != str(text) or not least <= seconds <= _LONGEST:
        raise SpecError(field, f"{text!r} is no duration from {least:g} s to 30 days", "write it like 30s or 1m")
    return seconds


def whole(values: Mapping[str, Any], key: str, default: int, field: str) -> int:
    """A number of 0 or more. Raises SpecError."""
    value = values.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise SpecError(field, f"{value!r} is no whole number", "set 0 or more")
    return value
