"""What became of one revision, judged from the Deployment and its Canary alone: pure, so that every case is a test.

It never looks at the Canary first: right after an update that still tells of the run before. What is diverted on the
Deployment was written together with the update itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from analyzer import workload
from analyzer.status import Phase, Status
from analyzer.stored import from_object
from detour.wish import unheard
from webhook import stash
from webhook.revision import digest, short

Object = dict[str, Any]


class Exit(IntEnum):
    """The exit status of `detour wait`."""

    PROMOTED = 0
    NOT_PROMOTED = 1
    TIMEOUT = 2


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is waited for: the whole digest, whether it took a detour, and which endings were over before."""

    revision: str
    detour: bool
    before: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands, in a sentence; `exit` is None while it is not over."""

    text: str
    exit: Exit | None = None


def wanted_of(deployment: Object, canary: Object | None) -> Wanted:
    """What the last update asked for: what is diverted or is being promoted, else what the primary runs.

    Raises StashError.
    """
    waiting = stash.diverted(deployment)
    if waiting is None:
        revision = digest(deployment["spec"]["template"])
        return Wanted(revision, stash.previous(deployment) is not None, _endings(_status(canary)))
    return Wanted(waiting.digest, True, _endings(_status(canary)))


def standing(wanted: Wanted, deployment: Object | None, canary: Object | None) -> Standing:
    """How it stands with what is wanted. Raises StashError."""
    if deployment is None:
        return Standing("cancelled: the Deployment was deleted", Exit.NOT_PROMOTED)
    status = _status(canary)
    if digest(deployment["spec"]["template"]) == wanted.revision:
        return _live(wanted, deployment, status)
    waiting = stash.diverted(deployment)
    if waiting and waiting.digest == wanted.revision:
        return _diverted(wanted, canary, status)
    return _gone(wanted, deployment, waiting, status)


def _live(wanted: Wanted, deployment: Object, status: Status) -> Standing:
    """The primary runs it. It may still be taken back while its promotion is not done."""
    readiness = workload.settled(deployment)
    if stash.previous(deployment) is not None:
        waits = "the canary is being drained" if readiness.ready else readiness.progress
        return Standing(f"{status.phase or Phase.PROMOTING}: the primary is switched to it: {waits}")
    if readiness.ready:
        why = _message(wanted, status) if wanted.detour else "the primary runs it, nothing is diverted"
        return Standing(f"promoted: {why or 'the primary runs it'}", Exit.PROMOTED)
    if readiness.deadline_exceeded:
        return Standing(f"failed: {readiness.progress}", Exit.NOT_PROMOTED)
    return Standing(readiness.progress)


def _diverted(wanted: Wanted, canary: Object | None, status: Status) -> Standing:
    """It waits, or runs as a canary. Only what is remembered as rejected does not run again by itself."""
    if canary is None:
        return Standing("diverted, and without a Canary nobody analyses it")
    if status.revision != wanted.revision:
        return Standing(_with("diverted", status.problem) if status.phase is Phase.WAITING else "diverted")
    if (
        status.phase is Phase.FAILED
        and wanted.revision in status.rejected
        and not unheard(canary, status, wanted.revision)
    ):
        what = status.ending.outcome.value.lower() if status.ending else "failed"
        return Standing(f"{what}: {_message(wanted, status)}", Exit.NOT_PROMOTED)
    if status.phase.in_flight and status.ending:
        return Standing(_with(f"on the way out: {status.ending.message}", status.problem))
    if status.phase.in_flight:
        return Standing(_with(f"{status.phase} at weight {status.weight} %", status.problem))
    return Standing(_with("diverted", status.problem))


def _gone(wanted: Wanted, deployment: Object, waiting: stash.Stash | None, status: Status) -> Standing:
    """Neither live nor diverted: somebody took it back, or wants something else by now."""
    if status.phase.in_flight and status.revision == wanted.revision:
        return Standing(f"on the way out: {status.ending.message if status.ending else 'it is no longer wanted'}")
    if entry := _ended(wanted, status):
        return Standing(f"{str(entry['outcome']).lower()}: {entry['message']}", Exit.NOT_PROMOTED)
    if waiting:
        author = stash.diverted_by(deployment)
        whose = f" by {author.user}" if author else ""
        return Standing(f"superseded: revision {short(waiting.digest)}{whose} is diverted instead", Exit.NOT_PROMOTED)
    runs = short(digest(deployment["spec"]["template"]))
    return Standing(f"cancelled: nothing is diverted any more, and the primary runs revision {runs}", Exit.NOT_PROMOTED)


def _message(wanted: Wanted, status: Status) -> str:
    """Why it ended, once that is known."""
    if status.ending and status.revision == wanted.revision:
        return status.ending.message
    entry = _ended(wanted, status)
    return str(entry["message"]) if entry else ""


def _ended(wanted: Wanted, status: Status) -> Mapping[str, Any] | None:
    """The entry of the history that this run left; no clocks are compared."""
    ours = (entry for entry in status.history if entry.get("revision") == wanted.revision)
    return next((entry for entry in ours if entry.get("endTime") not in wanted.before), None)


def _endings(status: Status) -> frozenset[str]:
    return frozenset(str(entry.get("endTime")) for entry in status.history)


def _status(canary: Object | None) -> Status:
    return from_object(canary) if canary else Status()


def _with(text: str, problem: str) -> str:
    return f"{text}, waits: {problem}" if problem else text
