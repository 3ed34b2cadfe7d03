"""The services by their names in an AlertProvider's `type`, and what their answers mean: pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from analyzer.alerts import discord, gchat, rocket, slack, teams, webhook
from analyzer.alerts.alert import Alert, Destination
from analyzer.courier import Answer as Outcome
from analyzer.courier import Arrived, Later, Never
from analyzer.web import Answer
from analyzer.wording import printable

TRIED_AGAIN = (408, 425, 429)
LONGEST_WAIT = 900.0  # seconds that a service may ask for
LONGEST_WORDS = 200


def _nothing(_: bytes) -> tuple[str, bool]:
    return "", False


def _as_it_is(address: str) -> str:
    return address


@dataclass(frozen=True, slots=True)
class Service:
    """`body` is what it is sent; `complaint`, what it may say under a good status; `address`, where it is sent."""

    body: Callable[[Alert, Destination], dict[str, Any]]
    complaint: Callable[[bytes], tuple[str, bool]] = _nothing
    address: Callable[[str], str] = _as_it_is


SERVICES: Mapping[str, Service] = {
    "slack": Service(slack.body, slack.complaint),
    "msteams": Service(teams.body, teams.complaint),
    "discord": Service(discord.body, address=discord.address),
    "rocket": Service(rocket.body, rocket.complaint),
    "gchat": Service(gchat.body),
    "webhook": Service(webhook.body),
}


def judged(kind: str, answer: Answer, now: datetime) -> Outcome:
    """What became of an alert, by the answer to it. What is refused for a reason would be refused again."""
    said = printable(answer.body.decode(errors="replace"))[:LONGEST_WORDS]
    if answer.redirects:
        return Never("its address redirects; put the address where it leads into the AlertProvider")
    if answer.status in TRIED_AGAIN or answer.status >= 500:
        return Later(f"it answers {answer.status} {said or answer.reason}".strip(), _wait(answer, now))
    if answer.status >= 300:
        return Never(f"it answers {answer.status} {said or answer.reason}; check the address".replace(" ;", ";"))
    problem, later = SERVICES[kind].complaint(answer.body)
    if not problem:
        return Arrived()
    complained = f"it answers {printable(problem)[:LONGEST_WORDS]}"
    return Later(complained, _wait(answer, now)) if later else Never(complained)


def _wait(answer: Answer, now: datetime) -> float | None:
    """Seconds until another try, as the service asks for by Retry-After (RFC 9110, 10.2.3)."""
    asked = answer.headers.get("Retry-After", "").strip()
    try:
        seconds = float(asked)
    except ValueError:
        try:
            moment = parsedate_to_datetime(asked)
        except ValueError:
            return None
        seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
    return min(max(seconds, 0.0), LONGEST_WAIT) if seconds == seconds else None
