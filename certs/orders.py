"""What people order: that whatever was made before a moment is made anew, or trusted no longer.

A moment needs no bookkeeping of who has obeyed already, and obeying twice changes nothing; `kubectl rollout restart`
works the same way. One that lies ahead is an appointment.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

RENEW_CA = "detour.dev/renew-ca"
RENEW_SERVING = "detour.dev/renew-serving"
DISTRUST = "detour.dev/distrust-retired"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Orders:
    """Each the moment of an order, None if there is none."""

    renew_ca: datetime | None = None
    """A CA issued before it gets a successor."""
    renew_serving: datetime | None = None
    """A serving certificate issued before it is issued anew, by every replica."""
    distrust: datetime | None = None
    """A CA that was retired before it leaves the caBundle at once, and not when the last it signed has expired."""


NO_ORDERS = Orders()


def read(annotations: Mapping[str, str]) -> Orders:
    """The orders on the CA's Secret; one that is no RFC 3339 time is named in the log, and not obeyed."""
    return Orders(*(_moment(annotations, key) for key in (RENEW_CA, RENEW_SERVING, DISTRUST)))


def _moment(annotations: Mapping[str, str], key: str) -> datetime | None:
    text = annotations.get(key, "")
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        moment = None
    if text and (moment is None or moment.tzinfo is None):
        log.warning("the annotation %s of the CA's Secret is no time like 2026-01-31T12:00:00Z: it is not obeyed", key)
        return None
    return moment
