"""What the API server answers, read to its end: an object, an error, or the events of a watch.

The answer may break off at any byte of its body, long after the request was let in: that is Unreachable, too.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import urllib3.exceptions

from analyzer.kube.errors import ApiError, Unreachable, from_status

_BROKEN = (urllib3.exceptions.HTTPError, OSError, ValueError)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the object, and the warnings that admission added to it."""

    object: dict[str, Any]
    warnings: tuple[str, ...] = ()


def read_object(response: Any) -> dict[str, Any]:
    """The object of an answer. Raises Unreachable."""
    try:
        answer: dict[str, Any] = json.loads(response.read())
    except _BROKEN as error:
        raise Unreachable(f"the answer broke off: {error}") from error
    return answer


def read_error(response: Any) -> ApiError:
    """The error that an answer of 400 or above is; its body is a Status, unless somebody in between has answered."""
    try:
        status: dict[str, Any] = json.loads(response.read())
    except ValueError:
        status = {}
    return from_status(response.status, status.get("reason") or response.reason or "", status.get("message") or "")


def read_events(stream: Any) -> Iterator[dict[str, Any]]:
    """The events of a watch as they come, one on each line. Raises Unreachable."""
    rest = b""
    try:
        for chunk in stream.stream(amt=None, decode_content=True):
            *lines, rest = (rest + chunk).split(b"\n")
            yield from (json.loads(line) for line in lines if line)
    except _BROKEN as error:
        raise Unreachable(f"the watch broke off: {error}") from error
    finally:
        stream.close()
        stream.release_conn()
