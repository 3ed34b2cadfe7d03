"""What a check says."""

from dataclasses import asdict, dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is. FAIL: Detour cannot do its work, or would do harm. WARN: it works, but not as one might expect."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, what was found, and what to do about it ("" where there is nothing to do)."""

    check: str
    level: Level
    found: str
    remedy: str = ""

    def as_json(self) -> dict[str, str]:
        """For `-o json`."""
        return {key: str(value) for key, value in asdict(self).items()}


def ok(check: str, found: str, hint: str = "") -> Finding:
    """As it should be; a `hint` says what may come next."""
    return Finding(check, Level.OK, found, hint)


def warn(check: str, found: str, remedy: str) -> Finding:
    """Detour works, but not as one might expect."""
    return Finding(check, Level.WARN, found, remedy)


def fail(check: str, found: str, remedy: str) -> Finding:
    """Detour cannot do its work, or would do harm."""
    return Finding(check, Level.FAIL, found, remedy)
