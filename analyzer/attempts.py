"""What fails is tried again, later and later, each duty by itself: none keeps another from being done."""

import logging
from collections.abc import Callable

from analyzer import telemetry
from analyzer.agenda import Key
from analyzer.kube.errors import ApiError, Conflict, Expired, Fenced, NotFound, Refused, Unreachable

FIRST_BACKOFF, LONGEST_BACKOFF = 0.5, 30.0
AGAIN = 0.05

_REASONS = {
    Conflict: "conflict",
    Expired: "conflict",
    Fenced: "fenced",
    NotFound: "not found",
    Refused: "refused",
    Unreachable: "unreachable",
    ApiError: "api",
}
"""For the counter; anything else is a fault of ours."""

for _reason in (*_REASONS.values(), "fault"):  # a rate begins with the first event, not the second
    telemetry.FAILURES.labels(_reason)

Duty = Callable[[Key], float | None]  # in how many seconds it wants to be done again, if at all

log = logging.getLogger(__name__)


class Attempts:
    """Counts what has failed in a row. Used by one worker at a time for each application."""

    def __init__(self) -> None:
        self._failures: dict[tuple[Key, int], int] = {}

    def all_of(self, key: Key, *duties: Duty) -> float | None:
        """Try every duty for an application, in this order; returns in how many seconds the first is due again."""
        wakes = [self._one(key, number, duty) for number, duty in enumerate(duties)]
        return min((wake for wake in wakes if wake is not None), default=None)

    def _one(self, key: Key, number: int, duty: Duty) -> float | None:
        try:
            wake = duty(key)
        except Exception as error:
            telemetry.FAILURES.labels(_REASONS.get(type(error), "fault")).inc()
            return self._failed(key, number, error)
        self._failures.pop((key, number), None)
        return wake

    def _failed(self, key: Key, number: int, error: Exception) -> float:
        match error:
            case Conflict():
                return self._later(key, number, f"it changed meanwhile: {error}", AGAIN)
            case Fenced():
                return self._later(key, number, f"{error}", AGAIN)
            case ApiError() | Unreachable():
                return self._later(key, number, f"{error}")
        log.error("looking at %s/%s failed", *key, exc_info=error)
        return self._later(key, number, "a fault of ours")

    def _later(self, key: Key, number: int, why: str, first: float = FIRST_BACKOFF) -> float:
        count = self._failures[key, number] = self._failures.get((key, number), 0) + 1
        delay = min(first * 2.0 ** min(count - 1, 10), LONGEST_BACKOFF)
        log.log(
            logging.WARNING if delay >= FIRST_BACKOFF else logging.INFO, "%s/%s: %s; again in %.2f s", *key, why, delay
        )
        return delay
