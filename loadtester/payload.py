"""What Flagger's webhooks send: bytes in, one task or the name of a canary out. Pure."""

import json
import re
from dataclasses import dataclass
from typing import Any

from loadtester.errors import Refused

CMD = "cmd"
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_BOOLEANS = {
    **dict.fromkeys(("1", "t", "T", "true", "True", "TRUE"), True),
    **dict.fromkeys(("0", "f", "F", "false", "False", "FALSE", ""), False),
}  # those of Go's strconv.ParseBool, which Flagger reads them with


@dataclass(frozen=True, slots=True)
class Task:
    """A command to run for a canary (`name.namespace`)."""

    canary: str
    line: str
    log_output: bool = False


def task(body: bytes) -> Task:
    """The task of a `POST /`. Raises Refused, naming the field.

    `returnCmdOutput` is checked and changes nothing: a `cmd` goes on after the answer, with Flagger as well.
    """
    payload = _payload(body)
    canary = _canary(payload)
    metadata = payload.get("metadata")
    if not metadata or not isinstance(metadata, dict):
        raise Refused("metadata not found in payload: give the command as metadata.cmd")
    for key, value in metadata.items():
        if not isinstance(value, str):
            raise Refused(f"metadata.{key} must be a string: put it in quotes")
    _known(metadata.get("type", CMD))
    if "cmd" not in metadata:
        raise Refused("metadata.cmd is missing: give the command to run")
    _boolean(metadata, "returnCmdOutput")
    return Task(canary, metadata["cmd"], _boolean(metadata, "logCmdOutput"))


def canary(body: bytes) -> str:
    """The canary that a gate is asked about, as `name.namespace`. Raises Refused, naming the field."""
    return _canary(_payload(body))


def _payload(body: bytes) -> dict[str, Any]:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused("the body is no JSON: send Flagger's webhook payload") from error
    if not isinstance(payload, dict):
        raise Refused("the body is no JSON object: send Flagger's webhook payload")
    return payload


def _canary(payload: dict[str, Any]) -> str:
    for field, pattern in (("name", _NAME), ("namespace", _NAMESPACE)):
        value = payload.get(field)
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise Refused(f"{field} is missing or is no Kubernetes name: give the {field} of the canary")
    return f"{payload['name']}.{payload['namespace']}"


def _known(kind: str) -> None:
    if kind == "bash":
        raise Refused(
            f"task type 'bash' is refused: no shell is ever started here; known is: {CMD} (programs and pipes)"
        )
    if kind != CMD:
        raise Refused(f"unknown task type {kind[:80]!r}; known is: {CMD}")


def _boolean(metadata: dict[str, str], key: str) -> bool:
    value = metadata.get(key, "")
    if value not in _BOOLEANS:
        raise Refused(f'metadata.{key} must be "true" or "false"')
    return _BOOLEANS[value]
