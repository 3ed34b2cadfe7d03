"""Why pods are not ready, in one sentence: what a user would otherwise look for with `kubectl describe pod`.

The sentence stays the same for as long as the fault does (no counts, times or names of pods), since each new one is an
event. What a container itself has said (its termination message) is not in it: that may be secret.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

Object = Mapping[str, Any]

LONGEST = 300
PATIENCE = 10.0  # seconds for what takes its time in good order, too

_HASH = "pod-template-hash"
_PREFIXES = re.compile(
    r"^(Back-off pulling image .*?: ErrImagePull: )?(rpc error: code = \w+ desc = )?"
    r'(failed to pull and unpack image "[^"]*": )?(failed to resolve reference "[^"]*": )?'
)
_CHANGING = re.compile(r"(?<=\d:)\d{4,5}(?=->)|\b[0-9a-f]{32,64}\b|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_NODES = re.compile(r"^\d+/\d+ nodes are available: ")


class _Weight(IntEnum):
    """What is more telling is heavier."""

    EVICTED = 1
    NOT_CREATED = 2
    UNREADY = 3
    UNSCHEDULABLE = 4
    REFUSED = 5
    CRASHED = 6


@dataclass(frozen=True, slots=True)
class Ailment:
    """What keeps pods from being ready. `crashed`: it is a container that ran, and ended by itself or by its limits."""

    text: str
    crashed: bool = False


def ailment(pods: Sequence[Object], now: datetime) -> Ailment | None:
    """The most telling fault of the pods with the newest template; None if none of them shows any, so far."""
    living = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    if not living:
        return None
    newest = max(living, key=lambda pod: str(pod["metadata"].get("creationTimestamp", "")))
    concerned = [pod for pod in living if _template(pod) == _template(newest) and not _is_true(pod, "Ready")]
    found = [fault for pod in concerned for fault in _faults(pod, now)]
    if not found:
        return None
    weight, text = min(found, key=lambda fault: (-fault[0], fault[1]))
    return Ailment(_bounded(text), crashed=weight is _Weight.CRASHED)


def selector(deployment: Object) -> str:
    """The `spec.selector` of a Deployment as a label selector of a list request."""
    asked = deployment["spec"]["selector"]
    terms = [f"{key}={value}" for key, value in (asked.get("matchLabels") or {}).items()]
    for one in asked.get("matchExpressions") or ():
        values = f"({','.join(one.get('values') or ())})"
        written = {"In": "{key} in {of}", "NotIn": "{key} notin {of}", "Exists": "{key}", "DoesNotExist": "!{key}"}
        terms.append(written[one["operator"]].format(key=one["key"], of=values))
    return ",".join(terms)


def _template(pod: Object) -> object:
    return (pod["metadata"].get("labels") or {}).get(_HASH)


def _faults(pod: Object, now: datetime) -> Iterator[tuple[_Weight, str]]:
    status, spec = pod.get("status") or {}, pod["spec"]
    if status.get("phase") == "Failed":
        yield _Weight.EVICTED, f"a pod ended: {status.get('reason', 'Failed')}: {_first(status.get('message', ''))}"
        return
    scheduled = _condition(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        yield _Weight.UNSCHEDULABLE, f"no node takes its pods: {_unschedulable(scheduled)}"
    gates = _condition(pod, "Ready")
    if gates.get("reason") == "ReadinessGatesNotReady":
        yield _Weight.UNREADY, str(gates.get("message", ""))
    for kind, word in (("initContainer", "init container"), ("container", "container")):
        declared = {container["name"]: container for container in spec.get(f"{kind}s") or ()}
        for state in status.get(f"{kind}Statuses") or ():
            if not state.get("ready") and (fault := _fault(declared.get(state["name"], {}), state, status, now)):
                yield fault[0], f"{word} {state['name']} {fault[1]}"


def _fault(container: Object, state: Object, status: Object, now: datetime) -> tuple[_Weight, str] | None:
    """What is wrong with one container that is not ready."""
    current, last = state.get("state") or {}, state.get("lastState") or {}
    waiting = current.get("waiting") or {}
    reason, message = waiting.get("reason", ""), _PREFIXES.sub("", waiting.get("message", ""))
    ended = current.get("terminated") or last.get("terminated")
    if ended or reason == "CrashLoopBackOff":
        return _Weight.CRASHED, _ending(container, ended or {})
    if reason in ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"):
        return _Weight.REFUSED, f"has no image {container.get('image', '')}: {message or reason}"
    if message:
        return _Weight.REFUSED, f"cannot be created: {message}"
    if waiting:
        slow = reason == "ContainerCreating" and _is_over(status.get("startTime"), PATIENCE, now)
        return (_Weight.NOT_CREATED, "is still not created: the events of its pod say why") if slow else None
    return _unready(container, state, (current.get("running") or {}).get("startedAt"), now)


def _ending(container: Object, ended: Object) -> str:
    reason, code = ended.get("reason", ""), ended.get("exitCode")
    if reason == "OOMKilled":
        limit = ((container.get("resources") or {}).get("limits") or {}).get("memory")
        return "was out of memory" + (f", its limit is {limit}" if limit else "") + " (OOMKilled)"
    if reason in ("StartError", "ContainerCannotRun"):  # the runtime speaks, not the container
        return f"cannot be started: {ended.get('message', reason)}"
    return f"crashes: it ended with exit code {code} ({reason})" if ended else "crashes"


def _unready(container: Object, state: Object, since: str | None, now: datetime) -> tuple[_Weight, str] | None:
    """Its probe fails, once it has had the time to succeed."""
    kind = "startupProbe" if state.get("started") is False and "startupProbe" in container else "readinessProbe"
    probe = container.get(kind) or {}
    after = probe.get("initialDelaySeconds", 0) + probe.get("periodSeconds", 10) * probe.get("failureThreshold", 3)
    if not probe or not _is_over(since, max(PATIENCE, after), now):
        return None
    return _Weight.UNREADY, f"runs, but its {kind.removesuffix('Probe')} probe fails: {_asks(probe)}"


def _asks(probe: Object) -> str:
    for kind, asked in probe.items():
        if kind == "httpGet":
            return f"GET {asked.get('path', '/')} on port {asked['port']}"
        if kind in ("tcpSocket", "grpc"):
            return f"{kind} on port {asked['port']}"
    return "its command"


def _unschedulable(condition: Object) -> str:
    """The scheduler's reasons, without how many nodes have each."""
    said = _first(_NODES.sub("", str(condition.get("message", ""))))
    return ", ".join(sorted({re.sub(r"^\d+ ", "", part) for part in said.split(", ")})) or condition.get("reason", "")


def _first(text: str) -> str:
    return text.partition(". ")[0].strip().removesuffix(".")


def _bounded(text: str) -> str:
    """Without what is another at each try (ports, ids), and not too long for an event's end."""
    text = " ".join(_CHANGING.sub("…", text).split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _is_true(pod: Object, kind: str) -> bool:
    return bool(_condition(pod, kind).get("status") == "True")


def _condition(pod: Object, kind: str) -> Object:
    conditions: Iterable[Object] = (pod.get("status") or {}).get("conditions") or ()
    return next((found for found in conditions if found.get("type") == kind), {})


def _is_over(since: str | None, seconds: float, now: datetime) -> bool:
    return since is not None and (now - datetime.fromisoformat(since)).total_seconds() >= seconds
