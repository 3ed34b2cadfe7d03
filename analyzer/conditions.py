"""The conditions of a Canary, as people and `kubectl wait` read them: Flagger's `Promoted`, and our own.

`Promoted` is True for Initialized and Succeeded, False for Failed and Unknown in between, as with Flagger
(`kubectl wait canary/x --for=condition=promoted`). `Guarded` is True only when the next update of the target is
certain to be diverted.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from analyzer.status import Outcome, Phase, Status, timestamp

Object = dict[str, Any]

_PROMOTED = {Phase.INITIALIZED: "True", Phase.SUCCEEDED: "True", Phase.FAILED: "False"}
_SAYS = {
    Phase.NEW: "waiting for the first look",
    Phase.INITIALIZING: "waiting until updates of the target are certain to be diverted",
    Phase.INITIALIZED: "updates of the target will run as a canary first",
    Phase.WAITING: "an update waits",
    Phase.PROGRESSING: "the new revision runs as a canary",
    Phase.WAITING_PROMOTION: "the new revision passed its analysis, and waits for consent to its promotion",
    Phase.PROMOTING: "the primary is being switched to the new revision",
    Phase.FINALISING: "the primary runs the new revision; the canary is being drained",
    Phase.SUCCEEDED: "the canary passed its analysis and was promoted",
    Phase.FAILED: "the canary was thrown away; the primary never changed",
}


def conditions_of(status: Status, before: Mapping[str, Any], now: datetime) -> list[Object]:
    """All of them; times of transition are kept from `before`, by type, where nothing changed."""
    return [_promoted(status, before, now), _guarded(status, before, now), *_measurable(status, before, now)]


def _promoted(status: Status, before: Mapping[str, Any], now: datetime) -> Object:
    reason = status.phase.value or Phase.INITIALIZING.value
    message = status.problem or _SAYS[status.phase]
    if status.ending and status.phase is Phase.FAILED:
        message = status.ending.message
        if status.ending.outcome in (Outcome.CANCELLED, Outcome.ABORTED):
            reason = Outcome.CANCELLED.value
    elif status.ending and status.phase.in_flight:
        halted = f" (waiting: {status.problem})" if status.problem else ""
        message = f"on the way out: {status.ending.message}{halted}"
    return _condition("Promoted", _PROMOTED.get(status.phase, "Unknown"), reason, message, before, now)


def _guarded(status: Status, before: Mapping[str, Any], now: datetime) -> Object:
    if status.guarded:
        return _condition("Guarded", "True", "Diverting", "the next update is certain to be diverted", before, now)
    return _condition("Guarded", "False", "NotYet", status.problem or _SAYS[Phase.INITIALIZING], before, now)


def _measurable(status: Status, before: Mapping[str, Any], now: datetime) -> list[Object]:
    """Whether its metrics were answered when they were last asked for (`analyzer.vetting`); nothing before."""
    if status.unmeasurable:
        return [_condition("Measurable", "False", "Failing", status.unmeasurable, before, now)]
    if not status.vetted:
        return []
    return [_condition("Measurable", "True", "Answered", "every metric was answered", before, now)]


def _condition(kind: str, value: str, reason: str, message: str, before: Mapping[str, Any], now: datetime) -> Object:
    previous = before.get(kind, {})
    changed = timestamp(now) if previous.get("status") != value else previous.get("lastTransitionTime", timestamp(now))
    updated = timestamp(now) if previous.get("reason") != reason else previous.get("lastUpdateTime", timestamp(now))
    return {
        "type": kind,
        "status": value,
        "reason": reason,
        "message": message,
        "lastTransitionTime": changed,
        "lastUpdateTime": updated,
    }
