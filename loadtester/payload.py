"""What Flagger's webhooks send: bytes in, one task or the name of a canary out. Pure."""

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from loadtester.errors import Refused

LONGEST_CANARY = 240
"""Characters of `name.namespace`: with the kind of a gate before it, it is a key of a ConfigMap (253)."""

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_BOOLEANS = {
    **dict.fromkeys(("1", "t", "T", "true", "True", "TRUE"), True),
    **dict.fromkeys(("0", "f", "F", "false", "False", "FALSE", ""), False),
}  # those of Go's strconv.ParseBool, which Flagger reads them with


class Kind(StrEnum):
    """The types of tasks: Flagger's, and `test`, which is a `cmd` that is waited for."""

    CMD = "cmd"
    TEST = "test"
    BASH = "bash"
    HELM = "helm"
    HELMV3 = "helmv3"
    KUBECTL = "kubectl"

    @property
    def waits(self) -> bool:
        """Whether the answer is how it ended. All but `cmd` do, with Flagger as well."""
        return self is not Kind.CMD


@dataclass(frozen=True, slots=True)
class Task:
    """A command to run for a canary (`name.namespace`). `checksum` tells one revision of it from another."""

    canary: str
    line: str
    kind: Kind = Kind.CMD
    checksum: str = ""
    log_output: bool = False
    return_output: bool = False


def task(body: bytes) -> Task:
    """The task of a `POST /`. Raises Refused, naming the field.

    As with Flagger, the output of what is waited for is always logged, and that of a `cmd` is never returned.
    """
    payload = _payload(body)
    canary = _canary(payload)
    metadata = payload.get("metadata")
    if not metadata or not isinstance(metadata, dict):
        raise Refused("metadata not found in payload: give the command as metadata.cmd")
    for key, value in metadata.items():
        if not isinstance(value, str):
            raise Refused(f"metadata.{key} must be a string: put it in quotes")
    kind = _kind(metadata.get("type", Kind.CMD))
    if "cmd" not in metadata:
        raise Refused("metadata.cmd is missing: give the command to run")
    logged, returned = (_boolean(metadata, key) for key in ("logCmdOutput", "returnCmdOutput"))
    return Task(canary, metadata["cmd"], kind, str(payload.get("checksum", "")), logged or kind.waits, returned)


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
    canary = f"{payload['name']}.{payload['namespace']}"
    if len(canary) > LONGEST_CANARY:
        raise Refused(f"name and namespace have more than {LONGEST_CANARY} characters together: shorten the name")
    return canary


def _kind(name: str) -> Kind:
    try:
        return Kind(name)
    except ValueError:
        known = ", ".join(Kind)
        raise Refused(f"there is no task type {name[:80]!r} here; known are: {known}") from None


def _boolean(metadata: dict[str, str], key: str) -> bool:
    value = metadata.get(key, "")
    if value not in _BOOLEANS:
        raise Refused(f'metadata.{key} must be "true" or "false"')
    return _BOOLEANS[value]
