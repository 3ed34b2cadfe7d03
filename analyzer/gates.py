"""Webhooks of a Canary that may hold it back: they are called with Flagger's payload, and a good status is a yes.

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
from analyzer.hooks import Gate
from analyzer.metrics.verdict import Check, Result

TRIED_AGAIN = (429, 500, 502, 503, 504)
LONGEST_WORDS = 200  # characters of an answer that an event may quote
LARGEST_ANSWER = 4 * LONGEST_WORDS  # bytes
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds between tries

Payload = Mapping[str, Any]


def payload(canary: Mapping[str, Any], phase: str, checksum: str, gate: Gate) -> Payload:
    """What a gate is sent (Flagger's CanaryWebhookPayload). `checksum` tells one revision from another."""
    metadata = canary["metadata"]
    return {
        "name": metadata["name"],
        "namespace": metadata["namespace"],
        "phase": phase,
        "checksum": checksum,
        "metadata": dict(gate.metadata),
    }


def call(gate: Gate, body: Payload, addresses: Addresses) -> Check:
    """The answer of a gate, as a check: every 2xx has passed, any other status is evidence, no answer is none.

    Takes `timeout` for each try at most, and the back-off in between; never raises.
    """
    host = urlsplit(gate.url).hostname  # the address itself may hold a token
    try:
        answer = _asked(gate, body, addresses)
    except (web.NoAnswer, UnicodeError) as error:
        return _check(gate, Result.UNMEASURED, f"cannot be called: {host}: {error}; check its url")
    if answer.redirects:
        return _check(gate, Result.UNMEASURED, f"cannot be called: {host} redirects; put that address into its url")
    if answer.status < 400:
        return _check(gate, Result.PASSED, "passed")
    return _check(gate, Result.FAILED, f"failed {_words(answer.body) or f'{answer.status} {answer.reason}'}")


def _asked(gate: Gate, body: Payload, addresses: Addresses) -> web.Answer:
    """The answer of the last try. Raises NoAnswer."""
    with web.Session(addresses) as session:
        for pause in (FIRST_PAUSE * 2.0**number for number in range(gate.retries)):
            with suppress(web.NoAnswer):
                answer = _once(session, gate, body)
                if answer.status not in TRIED_AGAIN:
                    return answer
            time.sleep(min(pause, LONGEST_PAUSE))
        return _once(session, gate, body)


def _once(session: web.Session, gate: Gate, body: Payload) -> web.Answer:
    return session.fetch("POST", gate.url, json=body, verify=gate.verify, seconds=gate.timeout, largest=LARGEST_ANSWER)


def _check(gate: Gate, result: Result, what: str) -> Check:
    return Check(gate.name, result, f"external check {gate.name} {what}")


def _words(body: bytes) -> str:
    """What a person may be shown of an answer: a line of printable characters."""
    line = " ".join(body.decode(errors="replace").split())
    return "".join(character for character in line if character.isprintable())[:LONGEST_WORDS]
