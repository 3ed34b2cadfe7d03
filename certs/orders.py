"""What people order: that whatever was made before a moment is made anew, or trusted no longer.

A moment needs no bookkeeping of who has obeyed already, and obeying twice changes nothing; `kubectl rollout restart`
works the same way. One that lies ahead is an appointment.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

RENEW_CA = "detour.dev/renew-ca"
RENEW_SERVING = "detour.dev/renew-serving"
DISTRUST = "detour.dev/distrust-retired"
SETTLE_SECONDS = "detour.dev/settle-seconds"
SETTLE = timedelta(minutes=1)
"""API servers follow the configuration by a watch, usually within a second."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Orders:
    """Moments, None where nothing is ordered."""

    renew_ca: datetime | None = None
    """A CA issued before it gets a successor."""
    renew_serving: datetime | None = None
    """A serving certificate issued before it is issued anew, by every replica."""
    distrust: datetime | None = None
    """A CA that was retired before it leaves the caBundle at once, and not when the last it signed has expired."""
    settle: timedelta = SETTLE
    """How long API servers may take to notice a new caBundle; other than a minute in tests only."""


NO_ORDERS = Orders()


def read(annotations: Mapping[str, str]) -> Orders:
    """The orders on the CA's Secret; one that is no RFC 3339 time is named in the log, and not obeyed."""
    seconds = annotations.get(SETTLE_SECONDS, "")
    settle = timedelta(seconds=int(seconds)) if seconds.isdecimal() else SETTLE
    return Orders(
        _moment(annotations, RENEW_CA), _moment(annotations, RENEW_SERVING), _moment(annotations, DISTRUST), settle
    )


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
