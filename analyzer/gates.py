"""Webhooks of a Canary that may hold it back: they are called with Flagger's payload, and a good status is a yes.

What Flagger does otherwise: it takes 200, 201 and 202 alone for a yes, loses the body of an answer from 500 on, and
counts a gate that does not answer as a failure of the canary.
"""

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

from analyzer import web
from analyzer.metrics.verdict import Check, Result
from analyzer.spec import Gate

TRIED_AGAIN = (429, 500, 502, 503, 504)
LONGEST_WORDS = 200  # characters of an answer that an event may quote
LARGEST_ANSWER = 4 * LONGEST_WORDS  # bytes

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


def call(gate: Gate, body: Payload) -> Check:
    """The answer of a gate, as a check: every 2xx has passed, any other status is evidence, no answer is none.

    Takes `timeout` for each try at most, and the back-off in between; never raises.
    """
    host = urlsplit(gate.url).hostname  # the address itself may hold a token
    try:
        with _session(gate) as session:
            response = session.post(
                gate.url, json=body, timeout=gate.timeout, verify=gate.verify, allow_redirects=False, stream=True
            )
            said = _words(web.read(response, time.monotonic() + gate.timeout, LARGEST_ANSWER))
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, UnicodeError) as error:
        return _check(gate, Result.UNMEASURED, f"cannot be called: {host}: {web.cause(error)}; check its url")
    if response.is_redirect:
        return _check(gate, Result.UNMEASURED, f"cannot be called: {host} redirects; put that address into its url")
    if response.ok:
        return _check(gate, Result.PASSED, "passed")
    return _check(gate, Result.FAILED, f"failed {said or f'{response.status_code} {response.reason}'}")


def _check(gate: Gate, result: Result, what: str) -> Check:
    return Check(gate.name, result, f"external check {gate.name} {what}")


def _session(gate: Gate) -> requests.Session:
    """Without proxies or credentials of the analyzer's own surroundings."""
    session = requests.Session()
    session.trust_env = False
    retry = urllib3.Retry(
        total=gate.retries,
        status_forcelist=TRIED_AGAIN,
        allowed_methods=None,
        backoff_factor=0.5,
        backoff_max=30,
        raise_on_status=False,
        respect_retry_after_header=False,
    )
    adapter = requests.adapters.HTTPAdapter(max_retries=retry)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def _words(body: bytes) -> str:
    """What a person may be shown of an answer: a line of printable characters."""
    line = " ".join(body.decode(errors="replace").split())
    return "".join(character for character in line if character.isprintable())[:LONGEST_WORDS]
