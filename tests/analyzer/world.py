"""A small world for the plan to act on: what the API server, the webhook and the kubelet would do, in virtual time.

A model, not a mock: it keeps the rules that the real ones keep (a canary is ready some seconds after it is made, a
promotion swaps templates, a route that names a canary without pods is an outage) and records every breach.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from analyzer.actions import (
    Action,
    Ask,
    Emit,
    Guard,
    Label,
    Measure,
    Rehearse,
    RemoveCanary,
    Route,
    RunCanary,
    Unroute,
)
from analyzer.metrics.verdict import Check, Result
from analyzer.plan import plan
from analyzer.seen import Canary, Primary, Seen
from analyzer.spec import Spec
from analyzer.status import Phase, Status

START = datetime(2026, 1, 1, tzinfo=UTC)
V1, V2, V3 = "1" * 64, "2" * 64, "3" * 64

SPEC = Spec(
    target="podinfo", interval=10, threshold=2, step_weight=20, max_weight=60, progress_deadline=60, metrics=({},)
)
PASSED = Check("success", Result.PASSED, "success 100.00 >= 99")
FAILED = Check("success", Result.FAILED, "success 50.00 < 99")
NO_DATA = Check("success", Result.NO_DATA, "no values found")


class Crash(Exception):
    """The process dies here."""


@dataclass
class World:
    """The cluster, the stored status and the clock. `crash_at` kills the analyzer before that many more effects."""

    spec: Spec = SPEC
    status: Status = field(default_factory=Status)
    now: datetime = START
    live: str = V1
    stash: str | None = None
    previous: str | None = None
    replicas: int = 2
    state: str | None = None
    labelled: bool = False
    boots_in: float = 3.0
    comes_up: bool = True
    primary_comes_up: bool = True
    refused: str = ""
    checks: Check = PASSED
    retry: str = ""
    obstacle: str = ""
    deleted: bool = False
    canary: tuple[str, int, datetime] | None = None
    service: bool = False
    route: int | None = None
    last_traffic: datetime | None = None
    rolling_until: datetime = START
    told: list[str] = field(default_factory=list)
    weights: list[int] = field(default_factory=list)
    ran: list[str] = field(default_factory=lambda: [V1])
    breaches: list[str] = field(default_factory=list)
    effects: int = 0
    crash_at: int | None = None

    def phase(self) -> Phase:
        """The phase that is stored now."""
        return self.status.phase

    def divert(self, digest: str) -> None:
        """The webhook has diverted an update."""
        self.stash, self.state = digest, None

    def seen(self) -> Seen:
        """What the analyzer would see now."""
        primary = None
        if not self.deleted and (self.stash or self.previous or self.status.phase.in_flight):
            ready = self.now >= self.rolling_until and (self.primary_comes_up or self.live == V1)
            primary = Primary(
                digest=self.live,
                stash=self.stash,
                previous=self.previous,
                replicas=self.replicas,
                ready=ready,
                progress="" if ready else "waiting",
                state=self.state,
            )
        canary = None
        if self.canary:
            digest, size, made = self.canary
            canary = Canary(digest, size, self._canary_ready(made), "0 of 1 updated replicas are available")
        return Seen(
            name="podinfo",
            namespace="shop",
            primary=primary,
            target=not self.deleted,
            labelled=self.labelled,
            canary=canary,
            weight=self.route,
            routed=self.route is not None and self.service,
            leftovers=bool(self.canary) or self.service,
            obstacle=self.obstacle,
            retry=self.retry,
        )

    def _canary_ready(self, made: datetime) -> bool:
        return self.comes_up and self.now >= made + timedelta(seconds=self.boots_in)

    def run(self, seconds: float) -> None:
        """Let the analyzer work for so long."""
        end = self.now + timedelta(seconds=seconds)
        while self.now < end:
            wake = self.settle()
            step = min(wake if wake is not None else 1.0, 1.0)
            self.now += timedelta(seconds=max(step, 0.01))

    def settle(self) -> float | None:
        """Plan and act until nothing is left to do at this moment; returns the wake of the last plan."""
        findings: dict[str, object] = {}
        for _ in range(50):
            result = plan(self.spec, self.status, replace(self.seen(), **findings), self.now)  # type: ignore[arg-type]
            if result.status != self.status:
                self._effect()
                self.status = result.status
            findings = {}
            for action in result.actions:
                self._effect()
                findings |= self._do(action)
            if not result.actions and result.wake != 0:
                return result.wake
        raise AssertionError(f"the plan never settles: {self.status}, {result.actions}")

    def _effect(self) -> None:
        self.effects += 1
        if self.crash_at is not None and self.effects >= self.crash_at:
            self.crash_at = None
            raise Crash

    def _do(self, action: Action) -> dict[str, object]:
        match action:
            case Emit(text):
                self.told.append(text)
            case Guard():
                self.labelled = not self.deleted
                return {"guarded": self.labelled}
            case Rehearse():
                return {"rehearsal": self.refused}
            case Measure():
                return {"checks": (self.checks,)}
            case RunCanary(size):
                self._run_canary(size)
            case Route(weight, _):
                self._route(weight)
            case Unroute():
                self._breach(bool(self.route), "a route was removed while it had weight")
                self.route = None
            case RemoveCanary():
                self._remove_canary()
            case Ask(verb, digest):
                self._ask(verb, digest)
            case Label(state):
                self.state = state
        return {}

    def _run_canary(self, size: int) -> None:
        assert self.stash
        if self.canary and self.canary[0] == self.stash:
            self.canary = (self.stash, size, self.canary[2])
            return
        self._breach(bool(self.canary and self.route), "a canary was replaced while it had traffic")
        self.canary = (self.stash, size, self.now)

    def _route(self, weight: int) -> None:
        self.service = True
        ready = self.canary is not None and self._canary_ready(self.canary[2])
        self._breach(weight > (self.route or 0) and not ready, f"weight {weight} for a canary that is not ready")
        if weight == 0 and self.route:
            self.last_traffic = self.now
        self.route = weight
        self.weights.append(weight)

    def _remove_canary(self) -> None:
        self._breach(self.route is not None, "the canary was removed while there was a route")
        drained = self.last_traffic is None or self.now - self.last_traffic >= timedelta(seconds=self.spec.drain)
        self._breach(not drained, "the canary was removed before it was drained")
        self.canary, self.service = None, False

    def _ask(self, verb: str, digest: str) -> None:
        if verb == "go" and self.stash == digest:
            self.previous, self.live, self.stash = self.live, digest, None
            self.rolling_until = self.now + timedelta(seconds=5)
            self.ran.append(digest)
        elif verb == "done" and self.live == digest:
            self.previous, self.state = None, None
        elif verb == "back" and self.live == digest and self.previous:
            self.live, self.stash, self.previous = self.previous, self.stash or digest, None
            self.rolling_until = self.now + timedelta(seconds=2)
            self.ran.append(self.live)
        else:
            self.breaches.append(f"{verb}:{digest[:1]} would be denied")

    def _breach(self, broken: bool, text: str) -> None:
        if broken:
            self.breaches.append(text)


def initialized(**changes: object) -> World:
    """A world whose Canary is initialized, with nothing in flight."""
    world = World(**changes)  # type: ignore[arg-type]
    world.settle()
    assert world.status.phase is Phase.INITIALIZED
    return world
