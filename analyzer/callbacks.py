"""Webhooks of a Canary that nobody waits for: `event` at every event, `post-rollout` after the end.

What Flagger does otherwise: it calls them in the middle of its loop, once, so that a slow one holds up its canary, and
one that is away is missed.
"""

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from analyzer import gates, web
from analyzer.actions import Emit
from analyzer.addresses import Addresses
from analyzer.courier import Answer, Arrived, Courier, Delivery, Later, Never
from analyzer.fields import SpecError
from analyzer.hooks import Gate, Kind, parse_hook
from analyzer.stored import from_object

Object = Mapping[str, Any]
Heard = Callable[[Arrived | Never], None]

AWAY = (429, 502, 503, 504)
"""Nobody has heard it: there is too much to do, or nobody behind the proxy."""
EVENT_LASTS, ENDING_LASTS = 300.0, 3600.0
"""For how many seconds it is worth telling an event, and that a rollout is over."""


def everyones(address: str) -> tuple[Gate, ...]:
    """The webhook of those who have none (Flagger's -event-webhook). Raises SpecError."""
    return (parse_hook({"name": "events", "type": Kind.EVENT.value, "url": address}),) if address else ()


class Callbacks:
    """Calls them in a courier's threads. What they answer changes nothing.

    `event_webhook` is the address for the events of Canaries that have no hook for them.
    """

    def __init__(self, addresses: Addresses, event_webhook: str = "", courier: Courier | None = None) -> None:
        self._addresses = addresses
        self._everyones = everyones(event_webhook)
        self._courier = courier or Courier()

    def tell(self, event: Emit, canary: Object) -> None:
        """Call the hooks of type event. Flagger's payload: what is told is in its metadata, and wins over a hook's own.

        The time is in milliseconds since 1970.
        """
        told = {
            "eventMessage": event.text,
            "eventType": "Warning" if event.warning else "Normal",
            "timestamp": str(int(time.time() * 1000)),
        }
        for hook in of(canary, Kind.EVENT) or self._everyones:
            status = from_object(canary)
            body = gates.payload(canary, status.phase, status.revision, {**hook.metadata, **told})
            self._send(hook, body, EVENT_LASTS)

    def tell_ending(self, hook: Gate, canary: Object, phase: str, revision: str, heard: Heard) -> None:
        """Call a hook of type post-rollout, and say what came of it."""
        self._send(hook, gates.payload(canary, phase, revision, hook.metadata), ENDING_LASTS, heard)

    def _send(self, hook: Gate, body: gates.Payload, lasts: float, heard: Heard = lambda _: None) -> None:
        lane = (body["namespace"], body["name"], f"{hook.kind} {hook.name}")
        what = f"{hook.kind} hook {hook.name} of {body['namespace']}/{body['name']}"
        self._courier.send(lane, Delivery(what, partial(_called, hook, body, self._addresses), lasts, heard))


def of(canary: Object, kind: Kind) -> tuple[Gate, ...]:
    """The webhooks of a type, also of a Canary that is wrong elsewhere."""
    analysis = (canary.get("spec") or {}).get("analysis") or {}
    hooks = (_parsed(webhook) for webhook in analysis.get("webhooks") or ())
    return tuple(hook for hook in hooks if hook and hook.kind is kind)


def _parsed(webhook: Object) -> Gate | None:
    try:
        return parse_hook(webhook)
    except SpecError:
        return None


def _called(hook: Gate, body: gates.Payload, addresses: Addresses) -> Answer:
    """What it says is its answer, also a no; whoever is not there, or busy, is called again."""
    host = urlsplit(hook.url).hostname  # the address itself may hold a token
    try:
        answer = gates.asked(hook, body, addresses)
    except (web.NoAnswer, UnicodeError) as error:
        return Later(f"{host}: {error}")
    if answer.redirects:
        return Never(f"{host} redirects; put that address into its url")
    words = gates.said(answer)
    if gates.good(answer):
        return Arrived(words)
    return Later(words) if answer.status in AWAY else Never(words)
