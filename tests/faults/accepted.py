"""What became of one replica's writes, by the API server's audit log: it knows the pod of whoever asks."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sandbox.layout import AUDIT_LOG
from tests.bench.audit import seconds
from tests.cluster.audit import WRITES

POD = "authentication.kubernetes.io/pod-name"
FREE = ("events", "leases", "selfsubjectaccessreviews", "selfsubjectreviews")
"""What whoever does not lead may write, too: it decides nothing, or is a question."""


@dataclass(frozen=True, slots=True)
class Writes:
    """How many writes of which kind were accepted, and how many refused because another replica leads."""

    accepted: Counter[str]
    fenced: int

    @property
    def text(self) -> str:
        kinds = ", ".join(f"{count} × {kind}" for kind, count in self.accepted.most_common()) or "nothing"
        return f"{kinds} accepted, {self.fenced} refused by the fence"


def writes(pod: str, since: float) -> Writes:
    """Those of this pod that the API server received from `since` on, in Unix time; dry runs aside."""
    with AUDIT_LOG.open(errors="replace") as log:
        return sort((json.loads(line) for line in log if f'"{pod}"' in line and line.endswith("\n")), pod, since)


def sort(events: Iterable[dict[str, Any]], pod: str, since: float) -> Writes:
    """Audit events, sorted: https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/."""
    accepted: Counter[str] = Counter()
    fenced = 0
    for event in events:
        object_, status = event.get("objectRef") or {}, event.get("responseStatus") or {}
        theirs = event["stage"] == "ResponseComplete" and pod in (event["user"].get("extra") or {}).get(POD, ())
        of_interest = (
            event["verb"] in WRITES and object_.get("resource") not in FREE and "dryRun" not in event["requestURI"]
        )
        if not theirs or not of_interest or seconds(event["requestReceivedTimestamp"]) < since:
            continue
        if status["code"] < 300:
            accepted["/".join(object_[key] for key in ("resource", "subresource") if object_.get(key))] += 1
        elif "does not lead" in status.get("message", ""):
            fenced += 1
    return Writes(accepted, fenced)
