"""The webhooks of a Canary (Canary.spec.analysis.webhooks), read once and checked: who is called, when, and how."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from analyzer.fields import SpecError, duration, whole

DEFAULT_TIMEOUT = "10s"
MOST_RETRIES = 10
SHORTEST_TIMEOUT, LONGEST_TIMEOUT = 0.001, 3600.0


class Kind(StrEnum):
    """When a webhook is called, and what its answer means (Flagger's HookType).

    Those that confirm are asked for consent, again and again until they give it. The checks count like metrics. A
    rollback's yes ends the rollout. The other two are told, and not asked.
    """

    CONFIRM_ROLLOUT = "confirm-rollout"
    PRE_ROLLOUT = "pre-rollout"
    ROLLOUT = "rollout"
    CONFIRM_TRAFFIC_INCREASE = "confirm-traffic-increase"
    CONFIRM_PROMOTION = "confirm-promotion"
    POST_ROLLOUT = "post-rollout"
    ROLLBACK = "rollback"
    EVENT = "event"

    @property
    def confirms(self) -> bool:
        """Whether it is asked for consent."""
        return self in (Kind.CONFIRM_ROLLOUT, Kind.CONFIRM_TRAFFIC_INCREASE, Kind.CONFIRM_PROMOTION)


@dataclass(frozen=True, slots=True)
class Gate:
    """One webhook. `timeout` is in seconds, for each of `retries` + 1 calls. `verify` is whether its certificate has to
    be right; `mute`, that no alert is sent while it is waited for.

    One that confirms may have a `deadline`, in seconds of waiting for its consent, after which the rollout ends; and
    may have no `url`: then `detour approve` alone gives the consent. Flagger has neither.
    """

    name: str
    url: str
    timeout: float
    kind: Kind = Kind.ROLLOUT
    retries: int = 0
    verify: bool = True
    metadata: Mapping[str, str] = field(default_factory=dict)
    mute: bool = False
    deadline: float | None = None

    @property
    def longest(self) -> float:
        """For how many seconds it may keep an answer back, but for the pauses between its calls."""
        return self.timeout * (self.retries + 1)


def parse_hook(webhook: Mapping[str, Any]) -> Gate:
    """One entry of `webhooks`. Raises SpecError."""
    where = f"spec.analysis.webhooks[{webhook.get('name')}]"
    kind = _kind(webhook.get("type") or Kind.ROLLOUT.value, f"{where}.type")  # Flagger's default
    retries = whole(webhook, "retries", 0, f"{where}.retries")
    if retries > MOST_RETRIES:
        raise SpecError(f"{where}.retries", f"{retries} are too many", f"set 0 to {MOST_RETRIES}")
    return Gate(
        name=str(webhook.get("name") or ""),
        url=_url(str(webhook.get("url") or ""), kind, f"{where}.url"),
        timeout=_timeout(webhook.get("timeout") or DEFAULT_TIMEOUT, f"{where}.timeout"),
        kind=kind,
        retries=retries,
        verify=not webhook.get("disableTLS"),
        metadata=webhook.get("metadata") or {},
        mute=bool(webhook.get("muteAlert")),
        deadline=_deadline(webhook.get("deadline"), kind, f"{where}.deadline"),
    )


def _kind(text: str, field: str) -> Kind:
    if text not in Kind.__members__.values():
        raise SpecError(field, f"{text!r} is unknown", f"set one of {', '.join(Kind)}")
    return Kind(text)


def _deadline(text: object, kind: Kind, field: str) -> float | None:
    if text is None:
        return None
    if not kind.confirms:
        raise SpecError(field, f"nobody waits for a webhook of type {kind}", "take it out")
    return duration(text, field)


def _timeout(text: object, field: str) -> float:
    """A thread waits for each, and there are few."""
    seconds = duration(text, field, SHORTEST_TIMEOUT)
    if seconds > LONGEST_TIMEOUT:
        raise SpecError(
            field, f"{text!r} is longer than an hour", "set an hour at most; a gate is called at every check"
        )
    return seconds


def _url(text: str, kind: Kind, field: str) -> str:
    if kind.confirms and not text:
        return ""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise SpecError(field, f"{text!r} is no address", "write it like http://flagger-loadtester.test/")
    return text
