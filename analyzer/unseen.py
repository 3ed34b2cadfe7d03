"""What runs though the webhook never saw it: with failurePolicy Ignore nothing is refused while it cannot be called.

What ran when last seen stands in the Canary's status. The number of its ReplicaSet, which the Deployment's controller
writes as an annotation, changes with the template and with nothing else, and the watch of metadata shows it. So at rest
nothing is asked; a change costs one request; and one that came while no analyzer was there is seen at the next start.
A Deployment that has no Canary yet, since no update of it was ever diverted, is not looked after.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from analyzer.status import Phase, Status
from webhook import stash
from webhook.objects import annotations, elements, mapping
from webhook.revision import digest, short

REPLICA_SET = "deployment.kubernetes.io/revision"
"""The controller's annotation (k8s.io/kubernetes/pkg/controller/deployment/util)."""


@dataclass(frozen=True, slots=True)
class Running:
    """Which template a Deployment runs: its whole digest, and the number of the ReplicaSet that has it."""

    uid: str
    number: str
    digest: str = ""

    @classmethod
    def of(cls, deployment: Mapping[str, Any]) -> Self:
        """What a whole Deployment runs, or, without the digest, what the metadata of one says."""
        template = mapping(deployment, "spec", "template")
        found = dict(deployment)
        return cls(found["metadata"]["uid"], _number(found), digest(template) if template else "")

    @classmethod
    def decode(cls, text: str) -> Self | None:
        """As it was stored; None where nothing was."""
        parts = text.split(" ")
        return cls(*parts) if len(parts) == 3 else None

    def encode(self) -> str:
        """As it is stored."""
        return f"{self.uid} {self.number} {self.digest}"


def is_known(status: Status, target: Mapping[str, Any]) -> bool:
    """Whether what runs is what ran when last seen, by the metadata of the Deployment alone."""
    before, now = Running.decode(status.primary), Running.of(target)
    same = before is not None and (before.uid, before.number) == (now.uid, now.number)
    return same or not now.number  # without one its controller has not yet come to it


def complaint(status: Status, deployment: Mapping[str, Any], *, managed: bool) -> str:
    """What to say of a template that nobody let through; empty where it came by a way of its own.

    Those are: it came with the Deployment; passed before, or is what passed now; was there before what passes now; or
    Detour does not look after it. What was let past is told, and remembered, before this is asked (`witness`).
    """
    before, now = Running.decode(status.primary), Running.of(deployment)
    if not managed or before is None or before.uid != now.uid or before.digest == now.digest:
        return ""
    promoted = {status.revision} if status.phase in (Phase.PROMOTING, Phase.FINALISING, Phase.SUCCEEDED) else set()
    if now.digest in promoted | {status.base, status.promoted, *stash.history(dict(deployment))}:
        return ""
    by = _writer(deployment)
    return f"changed past the webhook, which was not called: {short(now.digest)}{by} runs without an analysis"


def _number(deployment: dict[str, Any]) -> str:
    return str(annotations(deployment).get(REPLICA_SET, ""))


def _writer(deployment: Mapping[str, Any]) -> str:
    """The field manager that wrote the template last, as far as that is known."""
    entries = elements(mapping(deployment, "metadata"), "managedFields")
    wrote = [entry for entry in entries if mapping(entry, "fieldsV1", "f:spec", "f:template")]
    newest = max(wrote, key=lambda entry: str(entry.get("time", "")), default={})
    return f" by {newest['manager']}" if newest.get("manager") else ""
