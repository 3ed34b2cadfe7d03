"""Counts requests in the API server's audit log: the server's own record, so that nobody's client is believed.

What admission had to do with a request is read by `tests.cluster.audit`, of one namespace's writes.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

LEASES = "leases"


@dataclass(frozen=True, slots=True)
class Request:
    """One request, however many stages of it were recorded. `at` is Unix time, when the API server received it."""

    audit_id: str
    at: float
    user: str
    verb: str
    resource: str
    """With its subresource, as RBAC writes it: `canaries/status`; the path where the request is for no resource."""
    namespace: str
    name: str
    code: int
    """The status; that of a watch is 200 as soon as it is under way."""

    @staticmethod
    def from_event(event: dict[str, Any]) -> "Request":
        """From an audit event: https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/."""
        object_ = event.get("objectRef") or {}
        path = event.get("requestURI", "").partition("?")[0]
        parts = [object_[key] for key in ("resource", "subresource") if object_.get(key)]
        return Request(
            audit_id=event["auditID"],
            at=seconds(event["requestReceivedTimestamp"]),
            user=event["user"]["username"],
            verb=event["verb"],
            resource="/".join(parts) or path,
            namespace=object_.get("namespace", ""),
            name=object_.get("name", ""),
            code=(event.get("responseStatus") or {}).get("code", 0),
        )


def seconds(timestamp: str) -> float:
    """Unix time of an RFC 3339 timestamp with microseconds, as the audit log has them."""
    return datetime.strptime(timestamp, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC).timestamp()


def parse(lines: Iterable[str], user: str) -> Iterator[Request]:
    """This user's requests, each once, by its first stage. A last line that is still being written is left out."""
    seen: set[str] = set()
    for line in lines:
        if f'"username":"{user}"' not in line or not line.endswith("\n"):
            continue
        request = Request.from_event(json.loads(line))
        if request.user == user and request.audit_id not in seen:
            seen.add(request.audit_id)
            yield request


def read(log: Path, user: str, since: float, until: float) -> list[Request]:
    """This user's requests received in [since, until), in Unix time; from the rotated logs beside `log`, too."""
    files = [path for path in log.parent.glob(f"{log.stem}*{log.suffix}") if path.stat().st_mtime >= since]
    found: dict[str, Request] = {}
    for file in sorted(files, key=lambda path: path.stat().st_mtime):
        with file.open(errors="replace") as lines:
            for request in parse(lines, user):
                if since <= request.at < until:
                    found.setdefault(request.audit_id, request)
    return sorted(found.values(), key=lambda request: request.at)


@dataclass(frozen=True, slots=True)
class Spent:
    """What a controller asked of the API server, sorted by whether it concerns one application."""

    counted: tuple[Request, ...]
    """On objects of the application's namespace and of the controller's own, and those of no namespace."""
    lease: int
    """To stay leader: the same whatever there is to do."""
    elsewhere: int
    """On objects of other namespaces: somebody else's canaries."""

    @property
    def kinds(self) -> list[tuple[str, int]]:
        """`verb resource` and how often, the most frequent first."""
        return Counter(f"{request.verb} {request.resource}" for request in self.counted).most_common()

    @property
    def asked(self) -> list[Request]:
        """Without the watches: the API server ends each after a while, and it is opened again, for all applications."""
        return [request for request in self.counted if request.verb != "watch"]

    @property
    def reopened(self) -> list[Request]:
        """The watches alone."""
        return [request for request in self.counted if request.verb == "watch"]

    def __len__(self) -> int:
        return len(self.counted)


def spent(requests: Iterable[Request], namespace: str) -> Spent:
    """The requests of a controller, by what they are for: its lease, the application in `namespace`, or others."""
    requests = list(requests)
    lease = [request for request in requests if request.resource == LEASES]
    others = [request for request in requests if request.resource != LEASES]
    counted = tuple(request for request in others if request.namespace in ("", namespace, home(request.user)))
    return Spent(counted, len(lease), len(others) - len(counted))


def home(user: str) -> str:
    """The namespace of a ServiceAccount, from the user name that it has to the API server."""
    _, _, namespace, _ = user.split(":")
    return namespace
