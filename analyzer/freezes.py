"""Freezes: windows of time in which no new revision begins, as a policy (or a Canary) states them.

Each has a beginning that returns by a cron schedule, in a time zone, and a duration: the terms of a CronJob's
`schedule` and `timeZone` (batch/v1), which people know.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from analyzer.fields import SpecError, duration

UTC = "Etc/UTC"
LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class Freeze:
    """One window: it begins whenever `schedule` says so in `zone`, and lasts for `duration` seconds."""

    schedule: str
    duration: float
    zone: str = UTC
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Frozen:
    """A window that is open now: what to tell, and for how many seconds it is."""

    text: str
    left: float


def parse(freezes: Iterable[Mapping[str, Any]]) -> tuple[Freeze, ...]:
    """The field `spec.freezes`. Raises SpecError."""
    return tuple(_freeze(one, f"spec.freezes[{number}]") for number, one in enumerate(freezes))


def frozen(freezes: Iterable[Freeze], now: datetime) -> Frozen | None:
    """The window that is open now and ends last, if there is one."""
    ends = [(end, freeze) for freeze in freezes if (end := _end(freeze, now)) > now]
    if not ends:
        return None
    end, freeze = max(ends, key=lambda found: found[0])
    until = end.astimezone(ZoneInfo(freeze.zone)).strftime("%a %Y-%m-%d %H:%M %Z")
    why = f" ({freeze.reason})" if freeze.reason else ""
    return Frozen(f"frozen until {until}{why}: kubectl detour promote lets it through", (end - now).total_seconds())


def _end(freeze: Freeze, now: datetime) -> datetime:
    """When the window that was opened last closes, or has closed."""
    local = now.astimezone(ZoneInfo(freeze.zone)) + timedelta(minutes=1)  # the search leaves its own minute out
    try:
        began: datetime = next(CronSim(freeze.schedule, local.replace(second=0, microsecond=0), reverse=True))
    except StopIteration:  # in fifty years
        return now
    return (began.astimezone(now.tzinfo)) + timedelta(seconds=freeze.duration)


def _freeze(stated: Mapping[str, Any], field: str) -> Freeze:
    zone, schedule = str(stated.get("timeZone") or UTC), str(stated.get("schedule") or "")
    try:
        CronSim(schedule, datetime(2026, 1, 1, tzinfo=ZoneInfo(zone)))
    except CronSimError as error:
        remedy = "write it like '0 16 * * FRI': minute, hour, day of the month, month, day of the week"
        raise SpecError(f"{field}.schedule", f"{schedule!r} is no cron schedule ({error})", remedy) from error
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise SpecError(f"{field}.timeZone", f"{zone!r} is no time zone", "write it like Europe/Berlin") from error
    reason = " ".join(str(stated.get("reason") or "").split())[:LONGEST_REASON]
    return Freeze(schedule, duration(stated.get("duration"), f"{field}.duration"), zone, reason)
