"""Whom the API server asked about a request, by its own audit log: no counter of ours has to be believed.

For every admission webhook that it calls, the API server leaves an annotation on the request's audit event, whatever
the answer was and also where there was none. So its absence means that the request never left the API server.
(`tests.bench.audit` counts instead: all requests of one user, reads and watches too, each by its first stage.)
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sandbox.layout import AUDIT_LOG
from tests.cluster.kubectl import eventually, kubectl

CALLED = "mutation.webhook.admission.k8s.io/"
"""Prefix of the annotation that a call leaves: `round_<n>_index_<m>`, its value JSON with the name of the webhook
(k8s.io/apiserver/pkg/admission/plugin/webhook/mutating/dispatcher.go)."""

OURS = ".detour.dev"
DECISION = "/decision"
WRITES = ("create", "update", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Write:
    """One request that was to change something, and what admission had to do with it."""

    verb: str
    resource: str
    """With its subresource, as RBAC writes it: `deployments/scale`."""
    name: str
    manager: str
    """The field manager, empty for clients that send none."""
    dry_run: bool
    code: int
    calls: int
    """How often the webhook of Detour was called about it."""
    decision: str
    """What it decided, empty where it was not asked."""

    @staticmethod
    def from_event(event: dict[str, Any]) -> "Write":
        """From an audit event: https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/."""
        object_, notes = event["objectRef"], event.get("annotations") or {}
        query = parse_qs(urlsplit(event["requestURI"]).query)
        called = [json.loads(value)["webhook"] for key, value in notes.items() if key.startswith(CALLED)]
        decisions = [value for key, value in notes.items() if key.endswith(OURS + DECISION)]
        return Write(
            verb=event["verb"],
            resource="/".join(object_[key] for key in ("resource", "subresource") if object_.get(key)),
            name=object_.get("name", ""),
            manager="".join(query.get("fieldManager", ())),
            dry_run="dryRun" in query,
            code=event["responseStatus"]["code"],
            calls=sum(name.endswith(OURS) for name in called),
            decision="".join(decisions),
        )


@dataclass
class Heard:
    """What was recorded while somebody listened; complete when he has stopped."""

    writes: list[Write] = field(default_factory=list)

    @property
    def calls(self) -> int:
        """How often our webhook was called."""
        return sum(write.calls for write in self.writes)


@contextmanager
def listening(namespace: str, client: str = "kubectl") -> Iterator[Heard]:
    """Record what a program, known by its user agent, writes in a namespace meanwhile.

    The log is written before a response ends, so what has been answered can be read; the last line is waited for all
    the same, lest a request be taken for one that was never sent.
    """
    heard, begin = Heard(), AUDIT_LOG.stat().st_size
    yield heard
    end = f"end-{begin}"
    kubectl("-n", namespace, "get", "deployments", "-l", f"audit={end}", "-o", "name")
    lines = eventually(lambda: _until(end, begin, namespace), "the API server has recorded it", 10)
    events = [json.loads(line) for line in lines]
    heard.writes = [
        Write.from_event(event)
        for event in events
        if event["verb"] in WRITES and event["userAgent"].startswith(client) and event["stage"] == "ResponseComplete"
    ]


def noted(namespace: str, note: str) -> list[str]:
    """The values of an audit annotation on what was let through in a namespace, the oldest first."""
    with AUDIT_LOG.open(errors="replace") as log:
        events = [json.loads(line) for line in log if note in line and f'"namespace":"{namespace}"' in line]
    return [event["annotations"][note] for event in events if event["responseStatus"].get("code") == 200]


def _until(end: str, begin: int, namespace: str) -> list[str]:
    """The lines about a namespace, up to the one that has the word `end`; none as long as that one is missing."""
    found: list[str] = []
    with AUDIT_LOG.open("rb") as log:
        log.seek(begin)
        for raw in log:
            line = raw.decode(errors="replace")
            if f'"namespace":"{namespace}"' not in line or not line.endswith("\n"):
                continue
            if end in line:
                return [*found, line]
            found.append(line)
    return []
