"""A small world for the plan to act on: what the API server, the webhook and the kubelet would do, in virtual time.

A model, not a mock: it keeps the rules that the real ones keep (a canary is ready some seconds after it is made, a
promotion swaps templates, a route that names a canary without pods is an outage) and records every breach.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from analyzer.actions import (
    Action,
    Ask,
    Emit,
    Guard,
    Label,
    Measure,
    Plan,
    Rehearse,
    RemoveCanary,
    Route,
    RunCanary,
    Serve,
    Unroute,
)
from analyzer.metrics.verdict import Check, Result
from analyzer.plan import plan
from analyzer.seen import Canary, Primary, Seen
from analyzer.status import Phase
from tests.analyzer.things import V1, V2, Things


class Crash(Exception):
    """The process dies here."""


@dataclass
class World(Things):
    """Things, and an analyzer at work on them. `crash_at` kills it before that many more effects."""

    def seen(self) -> Seen:
        """What the analyzer would see now."""
        primary = None
        if not self.deleted and (self.stash or self.previous or self.status.phase.in_flight):
            ready = self.now >= self.rolling_until and (self.primary_comes_up or self.live == V1)
            ready = ready and self.down_since is None
            primary = Primary(
                digest=self.live,
                stash=self.stash,
                previous=self.previous,
                replicas=self.replicas,
                ready=ready,
                progress="" if ready else "waiting",
                down_since=self.down_since,
                paused=self.paused,
                state=self.state,
                restarted=self.restarted if self.stash else "",
                at_once=self.at_once if self.stash else "",
            )
        canary = None
        if self.canary:
            digest, size, made = self.canary
            ready = self._canary_ready(made)
            waits = "0 of 1 updated replicas are available"
            canary = Canary(digest, size, ready, size * ready, waits, restarted=self.canary_restarted)
        return Seen(
            name="podinfo",
            namespace="shop",
            primary=primary,
            target=not self.deleted,
            served=self.served,
            labelled=self.labelled,
            canary=canary,
            weight=self.route,
            routed=self.route is not None and self.service,
            leftovers=bool(self.canary) or self.service,
            obstacle=self.obstacle,
            unusable=self.unusable,
            wish=self.wish,
            held=self.held,
            direct=self.direct,
            unrouted=self.unrouted,
        )

    def _canary_ready(self, made: datetime) -> bool:
        return self.comes_up and self.now >= made + timedelta(seconds=self.boots_in)

    def run(self, seconds: float) -> None:
        """Let the analyzer work for so long: it looks when something changed, or when it wanted to, and never else."""
        end = self.now + timedelta(seconds=seconds)
        while self.now < end:
            if self._visible() != self.looked_at or (self.due is not None and self.now >= self.due):
                self.settle()
            self.now += timedelta(seconds=0.25)

    def settle(self) -> None:
        """Plan and act until nothing is left to do at this moment, as the controller does."""
        findings: dict[str, object] = {}
        for _ in range(50):
            before = self.seen()
            result = plan(self.spec, self.status, replace(before, **findings), self.now)  # type: ignore[arg-type]
            stored = result.status != self.status
            if stored:
                self._effect()
                self.status = result.status
            findings = self._act(result)
            self.looked_at = self._visible()
            self.due = None if result.wake is None else self.now + timedelta(seconds=result.wake)
            if not findings and result.wake != 0 and not stored and self.seen() == before:
                acted = any(not isinstance(action, Emit) for action in result.actions)
                self._breach(acted and result.wake is None, f"nothing looks whether {result.actions} has had an effect")
                return
        raise AssertionError(f"the plan never settles: {self.status}, {result.actions}")

    def _visible(self) -> object:
        return self.seen(), self.spec, self.status

    def _act(self, result: Plan) -> dict[str, object]:
        findings: dict[str, object] = {}
        for action in result.actions:
            self._effect()
            if isinstance(action, self.refusing):
                return {"refused": "a policy forbids it"}
            findings |= self._do(action)
        return findings

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
            case Serve():
                self.served = True
            case Rehearse():
                return {"obstacle": self.unmeasurable} if self.unmeasurable else {"rehearsal": self.refused}
            case Measure(traffic):
                return {"checks": self._measure(traffic)}
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

    def _measure(self, traffic: bool) -> tuple[Check, ...]:
        assert self.canary
        self.called += bool(self.spec.gates)
        self._breach(traffic and not self.route, "a canary without traffic was measured")
        checks: tuple[Check, ...] = (self.gate,) if self.spec.gates else ()
        heard = traffic or self.checks.result is Result.UNMEASURED
        if heard and (self.gate.result is Result.PASSED or not checks):
            checks += (self.checks,)
        if traffic:
            proven = all(check.result is Result.PASSED for check in checks)
            (self.passed.add if proven else self.passed.discard)(self.canary[0])
        return checks

    def _run_canary(self, size: int) -> None:
        assert self.stash
        self.canary_restarted = self.restarted or (self.canary_restarted if self.canary else "")
        if self.canary and self.canary[0] == self.stash:
            self.canary = (self.stash, size, self.canary[2])
            return
        self._breach(bool(self.canary and self.route), "a canary was replaced while it had traffic")
        self.canary = (self.stash, size, self.now)

    def _route(self, weight: int) -> None:
        if self.deleted:
            self.route = None
            return
        self.service = True
        ready = self.canary is not None and self._canary_ready(self.canary[2])
        self._breach(weight > max(self.route or 0, 0) and not ready, f"weight {weight} for a canary that is not ready")
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
        if verb == "go" and self.stash == digest and self.previous is None:
            unproven = digest not in self.passed and self.down_since is None and not self.status.waived
            self._breach(unproven, f"{digest[:1]} is promoted, and has not passed")
            self.previous, self.live, self.stash = self.live, digest, None
            self.rolling_until = self.now + timedelta(seconds=5)
            self.ran.append(digest)
        elif verb == "done" and self.live == digest:
            self.previous, self.state = None, None
        elif verb == "back" and self.live == digest and self.previous:
            self.live, self.stash, self.previous = self.previous, self.stash or digest, None
            self.state = "rejected"
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


def shipped(**changes: object) -> World:
    """One whose user has just updated it to V2."""
    world = initialized(**changes)
    world.divert(V2)
    return world
