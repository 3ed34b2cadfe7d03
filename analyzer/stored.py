"""A Status as the Canary object stores it, and back: one table for both ways, so that nothing is kept in one alone.

Flagger's fields keep Flagger's names and meanings (`flagger.app/v1beta1`, Canary.status); ours are optional additions,
so that a tool that knows Flagger reads what it expects.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from analyzer.conditions import conditions_of
from analyzer.memory import unpacked
from analyzer.status import Ending, Outcome, Phase, Status, timestamp

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Kind:
    """How values of a field are written, and read; None is not written at all."""

    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


_NUMBER = _Kind(int, int)
_COUNT = _Kind(lambda number: number or None, int)
_TEXT = _Kind(str, str)
_TEXTS = _Kind(list, tuple)
_TIME = _Kind(lambda moment: timestamp(moment) if moment else None, datetime.fromisoformat)
_OBJECT = _Kind(dict, dict)
_OBJECTS = _Kind(lambda entries: [dict(entry) for entry in entries], tuple)
_ENDING = _Kind(
    lambda ending: {"outcome": ending.outcome.value, "message": ending.message} if ending else None,
    lambda stored: Ending(Outcome(stored["outcome"]), stored.get("message", "")),
)

FIELDS: Mapping[str, tuple[str, _Kind]] = {
    "weight": ("canaryWeight", _NUMBER),
    "failed_checks": ("failedChecks", _NUMBER),
    "iterations": ("iterations", _NUMBER),
    "replicas": ("primaryReplicas", _COUNT),
    "revision": ("revision", _TEXT),
    "base": ("base", _TEXT),
    "promoted": ("lastPromotedSpec", _TEXT),
    "subject": ("subject", _OBJECT),
    "started": ("startTime", _TIME),
    "queued": ("queuedSince", _TIME),
    "step_time": ("stepTime", _TIME),
    "check_time": ("checkTime", _TIME),
    "quiet_since": ("quietSince", _TIME),
    "ready_since": ("readySince", _TIME),
    "returned": ("returned", _TIME),
    "asked": ("askedReplicas", _COUNT),
    "routed_away": ("routedAway", _TIME),
    "unrouted": ("unrouted", _TIME),
    "ending": ("ending", _ENDING),
    "rejected": ("rejected", _TEXTS),
    "history": ("history", _OBJECTS),
    "terms": ("terms", _TEXT),
    "waived": ("waived", _TEXT),
    "waits": ("waits", _TEXT),
    "gate": ("gate", _TEXT),
    "gate_since": ("gateSince", _TIME),
    "observed_wish": ("observedWish", _TEXT),
    "primary": ("primary", _TEXT),
    "observed_generation": ("observedGeneration", _NUMBER),
    "problem": ("message", _TEXT),
    "verdict": ("verdict", _TEXTS),
    "vetted": ("vetted", _TEXT),
    "unmeasurable": ("unmeasurable", _TEXT),
    "alerts": ("alerts", _OBJECTS),
    "untold": ("untold", _COUNT),
}
"""Of a Status: all but its phase, which has to fit the rest, and `guarded`, which is a condition."""


def to_object(status: Status, stored: Mapping[str, Any], now: datetime) -> Object:
    """The `status` of the Canary object; times of transition are kept from `stored` where nothing changed."""
    before = {condition["type"]: condition for condition in stored.get("conditions") or ()}
    written = {key: kind.write(getattr(status, name)) for name, (key, kind) in FIELDS.items()}
    written |= {
        "phase": status.phase.value or Phase.INITIALIZING.value,
        "lastAppliedSpec": status.revision,
        "lastTransitionTime": timestamp(now),
        "conditions": conditions_of(status, before, now),
    }
    return {key: value for key, value in written.items() if value is not None and value not in ("", [], {})}


def from_object(canary: Mapping[str, Any]) -> Status:
    """The stored status of a Canary object, also one that Flagger wrote."""
    stored = unpacked(canary.get("status") or {})
    known = {name: kind.read(stored[key]) for name, (key, kind) in FIELDS.items() if stored.get(key) is not None}
    conditions = {condition["type"]: condition for condition in stored.get("conditions") or ()}
    guarded = conditions.get("Guarded", {}).get("status") == "True"
    return Status(phase=_phase(stored), guarded=guarded, **known)


def _phase(stored: Mapping[str, Any]) -> Phase:
    """What Flagger has in flight is none of ours: without a revision nothing could be carried on."""
    text = stored.get("phase", "")
    phase = Phase(text) if text in Phase.__members__.values() else Phase.INITIALIZING
    ours = stored.get("revision") or stored.get("ending")
    return Phase.INITIALIZING if phase.in_flight and not ours else phase
