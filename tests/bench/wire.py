"""What the users of an application got, by the Ingress controller's own account: it knows which Service it chose."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from tests.bench.course import Change
from tests.bench.follow import Follower

# A new weight has reached every router after this, and an old one is not counted for the next.
SETTLED = 2.0  # seconds
CANARY = "-canary"


@dataclass(frozen=True, slots=True)
class Passed:
    """One request that came through. `at` is Unix time."""

    at: float
    status: int
    canary: bool

    @staticmethod
    def from_entry(entry: dict[str, Any]) -> "Passed":
        """From an entry of Traefik's access log as JSON, whose times have nanoseconds."""
        start = datetime.fromisoformat(entry["StartUTC"].rstrip("Z")[:26] + "+00:00")
        service, _, _ = entry.get("ServiceName", "").partition("@")
        return Passed(start.timestamp(), entry["DownstreamStatus"], service.endswith(CANARY))


class Wire(Follower):
    """In the `with` block it follows the access log; `passed` holds every request to `host`."""

    def __init__(self, host: str) -> None:
        super().__init__("-n", "ingress", "logs", "-f", "--since=1s", "deployment/traefik")
        self._mine = f'"RequestHost":"{host}"'
        self.passed: list[Passed] = []

    def heard(self, line: str) -> None:
        if self._mine in line:
            self.passed.append(Passed.from_entry(json.loads(line)))

    def since(self, at: float) -> list[Passed]:
        """The requests that began at this time, Unix time, or later."""
        return [request for request in list(self.passed) if request.at >= at]

    @property
    def flows(self) -> bool:
        """Whether the application has answered a request well."""
        return any(request.status == 200 for request in list(self.passed))


@dataclass(frozen=True, slots=True)
class Share:
    """The canary's part of the requests, in percent, while it had this weight."""

    weight: int
    percent: float
    requests: int


def shares(changes: Iterable[Change], passed: Iterable[Passed]) -> list[Share]:
    """For each weight above 0 that lasted, from when it had settled until it changed."""
    passed = list(passed)
    found = []
    for change, following in pairwise(changes):
        during = [request for request in passed if change.at + SETTLED <= request.at < following.at]
        if change.phase == "Progressing" and change.weight and during:
            canary = sum(request.canary for request in during)
            found.append(Share(change.weight, 100 * canary / len(during), len(during)))
    return found
