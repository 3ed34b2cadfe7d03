"""A managed application under traffic, as rows and scenarios tell of it: what is asked of it, how it has to end."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import urllib3.exceptions

from tests.bench.application import Application
from tests.cluster.deployed import ours
from tests.cluster.kubectl import Object, eventually
from tests.cluster.shop import PROMETHEUS
from tests.soak.application import ALWAYS, WITH_A_REJECTED_ONE
from webhook import stash

STEPS: Object = {"interval": "2s", "threshold": 1, "stepWeight": 20, "maxWeight": 60}
POLL = 0.03  # seconds
IN_USE = "detour.dev/in-use"


@dataclass
class Plain(Application):
    """An application whose pods serve on until a router that is short of processors has heard, too, that they end.

    A rolling update does not wait for pods that end, so it takes no longer.
    """

    pod: Object = field(default_factory=lambda: {"terminationGracePeriodSeconds": 20})

    def deployment(self, tag: str = "6.0.0", **container: Any) -> Object:
        """Traefik gathers changes for two seconds, and three are not much more on a busy machine."""
        return super().deployment(tag, **{"lifecycle": {"preStop": {"sleep": {"seconds": 8}}}, **container})


@dataclass
class Managed(Plain):
    """The application that Detour guards. Its only check asks `prometheus`, and is passed if `verdict` is 1."""

    verdict: int | None = 1
    analysis: Object = field(default_factory=lambda: dict(STEPS))
    prometheus: str = PROMETHEUS

    def template(self) -> Object:
        made = super().template()
        made["spec"]["provider"]["address"] = self.prometheus
        return made

    def canary(self) -> Object:
        made = super().canary()
        made["spec"]["analysis"] |= self.analysis
        return made


class Subject:
    """The managed application: `ends` says how it has to come out."""

    def __init__(self, managed: Managed) -> None:
        self.managed = managed
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        """A line for the evidence: something that was measured."""
        self.notes.append(text)

    def status(self) -> Object | None:
        """The Canary's status, or None while the API server does not say."""
        try:
            return self.managed.status
        except (AssertionError, urllib3.exceptions.HTTPError, ValueError):
            return None

    def until(self, condition: Callable[[Object], bool], what: str, seconds: float = 90) -> None:
        """Wait for a status of the Canary; looks often, so that a short moment is not missed."""
        deadline = time.monotonic() + seconds
        while not (status := self.status() or {}) or not condition(status):
            assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}; {status}"
            time.sleep(POLL)

    def until_phase(self, phase: str, seconds: float = 90) -> None:
        """As `until`, for a phase."""
        self.until(lambda status: status.get("phase") == phase, f"phase {phase}", seconds)

    def until_weight(self, weight: int, seconds: float = 90) -> None:
        """As `until`, for at least this weight."""
        self.until(lambda status: status.get("canaryWeight", 0) >= weight, f"weight {weight}", seconds)

    def ends(self, phase: str, live: str, says: str = "", seconds: float = 120) -> None:
        """How it has to end: the phase, the version that the primary runs, and a word of the Canary's message."""
        self.until_phase(phase, seconds)
        self.managed("rollout", "status", "deployment/podinfo", "--timeout=60s")
        assert self.managed.live_image == live, f"{self.managed.live_image} is live, not {live}"
        assert says in self.message, f"the Canary says '{self.message}', nothing of '{says}'"

    @property
    def message(self) -> str:
        """What the Canary says about how it stands."""
        conditions: list[Object] = (self.status() or {}).get("conditions", [])
        return str(conditions[0].get("message", "")) if conditions else ""

    @property
    def ended(self) -> str:
        """The phase, the live image and the message, in a line."""
        status = self.status() or {}
        return f"{status.get('phase')}, {self.managed.live_image} is live: {self.message}"

    def left(self) -> list[str]:
        """What is there that should not be, once it has had a moment to go."""
        try:
            eventually(lambda: not leftovers(self.managed), "nothing is left", 30)
        except AssertionError:
            return leftovers(self.managed)
        return []


def leftovers(app: Application) -> list[str]:
    """Objects of the canary, finalizers of ours, and keys on the Deployment that say that something is under way."""
    primary = app.primary
    waits = stash.diverted(primary) is not None and stash.state(primary) == stash.STATE_REJECTED
    keys = ours(primary) - ALWAYS - (WITH_A_REJECTED_ONE if waits else set())
    held = [
        f"finalizer on {found['kind']} {found['metadata']['name']}"
        for found in app.get("configmaps,secrets,serviceaccounts")["items"]
        if IN_USE in found["metadata"].get("finalizers", ())
    ]
    return [*app.leftovers(), *held, *sorted(keys)]
