"""Webhooks of a Canary that are waited for: they are called with Flagger's payload, and a good status is a yes.

What Flagger does otherwise: it takes 200, 201 and 202 alone for a yes, loses the body of an answer from 500 on, and
counts a gate that does not answer as a failure of the canary.
"""

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from analyzer import web
from analyzer.addresses import Addresses
from analyzer.hooks import Gate, Kind
from analyzer.metrics.verdict import Check, Result

TRIED_AGAIN = (429, 500, 502, 503, 504)
LONGEST_WORDS = 200  # characters of an answer that an event may quote
LARGEST_ANSWER = 4 * LONGEST_WORDS  # bytes
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds between tries

CALLED = {Kind.ROLLOUT: "external check", Kind.PRE_ROLLOUT: "pre-rollout check", Kind.ROLLBACK: "rollback check"}
WAITED_FOR = {
    Kind.CONFIRM_ROLLOUT: "waiting for approval",
    Kind.CONFIRM_TRAFFIC_INCREASE: "waiting for traffic increase approval",
    Kind.CONFIRM_PROMOTION: "waiting for promotion approval",
}
"""Flagger's words; what is waited for may go on saying no."""

Payload = Mapping[str, Any]


def payload(canary: Mapping[str, Any], phase: str, checksum: str, metadata: Mapping[str, str]) -> Payload:
    """What a webhook is sent (Flagger's CanaryWebhookPayload). `checksum` tells one revision from another."""
    about = canary["metadata"]
    return {
        "name": about["name"],
        "namespace": about["namespace"],
        "phase": phase,
        "checksum": checksum,
        "metadata": dict(metadata),
    }


def call(gate: Gate, body: Payload, addresses: Addresses) -> Check:
    """The answer of a gate, as a check: every 2xx is a yes, no answer no evidence. A gate without a url says not yet.

    Takes `timeout` for each try at most, and the back-off in between; never raises.
    """
    if not gate.url:
        return _not_yet(gate)
    host = urlsplit(gate.url).hostname  # the address itself may hold a token
    try:
        answer = asked(gate, body, addresses)
    except (web.NoAnswer, UnicodeError) as error:
        return _unanswered(gate, f"{host}: {error}; check its url")
    if answer.redirects:
        return _unanswered(gate, f"{host} redirects; put that address into its url")
    words = said(answer)
    if gate.kind is Kind.ROLLBACK:
        return _rollback(gate, words, wanted=good(answer))
    if good(answer):
        return _check(gate, Result.PASSED, "passed")
    if gate.kind in WAITED_FOR:
        return _not_yet(gate, words)
    if busy(answer):
        return _unanswered(gate, f"{host}: {words}")
    return _check(gate, Result.FAILED, f"failed {words}")


def asked(gate: Gate, body: Payload, addresses: Addresses) -> web.Answer:
    """The answer of the last try. Raises NoAnswer, and UnicodeError for an address that cannot be written down."""
    with web.Session(addresses) as session:
        for pause in (FIRST_PAUSE * 2.0**number for number in range(gate.retries)):
            with suppress(web.NoAnswer):
                answer = _once(session, gate, body)
                if answer.status not in TRIED_AGAIN:
                    return answer
            time.sleep(min(pause, LONGEST_PAUSE))
        return _once(session, gate, body)


def good(answer: web.Answer) -> bool:
    """Whether it is a yes: every 2xx."""
    return 200 <= answer.status < 300


def busy(answer: web.Answer) -> bool:
    """Whether it says nothing but that it wants to be called again: too many requests, or not now (RFC 9110)."""
    return answer.status == 429 or (answer.status == 503 and "Retry-After" in answer.headers)


def said(answer: web.Answer) -> str:
    """What a person may be shown of an answer: a line of printable characters, or else its status."""
    line = " ".join(answer.body.decode(errors="replace").split())
    words = "".join(character for character in line if character.isprintable())[:LONGEST_WORDS]
    return words or f"{answer.status} {answer.reason}".rstrip()


def _once(session: web.Session, gate: Gate, body: Payload) -> web.Answer:
    return session.fetch("POST", gate.url, json=body, verify=gate.verify, seconds=gate.timeout, largest=LARGEST_ANSWER)


def _check(gate: Gate, result: Result, what: str) -> Check:
    called = CALLED.get(gate.kind, f"{gate.kind} check")
    return Check(gate.name, result, f"{called} {gate.name} {what}", kind=gate.kind)


def _unanswered(gate: Gate, why: str) -> Check:
    if gate.kind is Kind.ROLLBACK:
        return _rollback(gate, why, wanted=False)
    return _check(gate, Result.UNMEASURED, f"cannot be called: {why}")


def _rollback(gate: Gate, words: str, *, wanted: bool) -> Check:
    """The only gate whose yes ends a canary; that it says anything else, or nothing, is as good as no."""
    if wanted:
        return _check(gate, Result.FAILED, "passed")
    return _check(gate, Result.PASSED, f"does not ask for a rollback: {words}")


def _not_yet(gate: Gate, words: str = "") -> Check:
    text = f"{WAITED_FOR[gate.kind]} {gate.name}" + (f": {words}" if words else "")
    return Check(gate.name, Result.WAITING, text, kind=gate.kind)
