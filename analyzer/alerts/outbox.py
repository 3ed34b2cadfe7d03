"""What chats are still to be told: it lies in the Canary's status, written together with what it tells of.

So no crash loses an alert; one between the sending and the storing sends it twice. Pure.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from analyzer.actions import Emit, Severity
from analyzer.alerts.alert import Alert, reaches
from analyzer.status import Status, timestamp
from webhook.revision import short

KEPT = 20
LONGEST_TEXT = 1000  # characters
TITLES = ("Images", "By", "Revision")
"""Of facts, in the order in which they are shown: the API server keeps no order of a map."""

Entry = Mapping[str, Any]
Audience = Mapping[str, Severity]
"""Places (an AlertProvider's namespace and name, or the name of a default), and the least severity of each."""
Errand = tuple[str, str, str]
"""What is to be sent once: an entry's time and text, and the place."""


def posted(status: Status, emitted: Iterable[Emit], audience: Audience, now: datetime) -> Status:
    """The status with what these events ask to be told, for those who are told such. Above KEPT the oldest goes."""
    entries = [entry for event in emitted if (entry := _entry(status, event, audience, now))]
    return replace(status, alerts=(*status.alerts, *entries)[-KEPT:]) if entries else status


def _entry(status: Status, event: Emit, audience: Audience, now: datetime) -> dict[str, Any] | None:
    severity = event.alert
    places = [place for place, least in audience.items() if severity and reaches(severity, least)]
    if not severity or not places:
        return None
    subject = status.subject if status.revision else {}
    by, manager = subject.get("by") or "", subject.get("manager") or ""
    by = f"{by} ({manager})" if by and manager else by or manager
    facts = dict(zip(TITLES, (", ".join(subject.get("images") or ()), by, short(status.revision)), strict=True))
    return {
        "text": event.text[:LONGEST_TEXT],
        "severity": severity.value,
        "time": timestamp(now),
        "facts": {title: value for title, value in facts.items() if value},
        "to": places,
    }


def errands(entries: Iterable[Entry]) -> list[tuple[Errand, Entry]]:
    """What is still to be sent, the oldest first."""
    return [((entry["time"], entry["text"], place), entry) for entry in entries for place in entry["to"]]


def without(entries: Iterable[Entry], done: Collection[Errand]) -> tuple[Entry, ...]:
    """What remains."""
    left = (
        {**entry, "to": [place for place in entry["to"] if (entry["time"], entry["text"], place) not in done]}
        for entry in entries
    )
    return tuple(entry for entry in left if entry["to"])


def alert(entry: Entry, name: str, namespace: str, *more: tuple[str, str]) -> Alert:
    """An entry as it is sent, for the Canary of this name."""
    facts = entry.get("facts") or {}
    return Alert(
        name=name,
        namespace=namespace,
        severity=Severity(entry["severity"]),
        text=entry["text"],
        time=datetime.fromisoformat(entry["time"]),
        facts=(*((title, facts[title]) for title in TITLES if title in facts), *more),
    )
