"""What each write of an analyzer does to the things, as the API server, the webhook and the kubelet would do it."""

from dataclasses import replace
from datetime import timedelta

from analyzer.actions import (
    Ask,
    Emit,
    Guard,
    Label,
    Measure,
    Rehearse,
    RemoveCanary,
    Route,
    RunCanary,
    Scale,
    Serve,
    Unroute,
)
from analyzer.hooks import Gate, Kind
from analyzer.metrics.verdict import Check, Result
from analyzer.seen import Primary
from analyzer.status import Status
from tests.analyzer.cuts import Moved
from tests.analyzer.invariants import Serving, Unserve, Write
from tests.analyzer.loop import Analyzer, Findings, Writing
from tests.analyzer.things import OPEN, Things


class Effects(Things):
    """The things, and what becomes of them with a write."""

    def take_effect(self, write: Write, writing: Writing, analyzer: Analyzer) -> Findings:
        """As it is carried out. Raises Moved where the real one conflicts."""
        match write:
            case Status():
                if (self.wish, self.spec) != writing.object:
                    raise Moved  # somebody has written the Canary meanwhile
                self._store(write)
            case Emit(text):
                self.told.append(text)
            case Guard():
                self.labelled = not self.deleted
                return {"guarded": self.labelled}
            case Serve():
                self.served = True
            case Rehearse():
                return {"obstacle": self.unmeasurable} if self.unmeasurable else {"rehearsal": self.refused}
            case Measure():
                if self.answers:
                    analyzer.checks = self.occasion(), self._measure(write)
            case RunCanary(size):
                self._run_canary(size)
            case Route(weight, _):
                self._route(weight)
            case Unroute():
                self.route = None
            case Serving(revision):
                self.service = revision
            case Unserve():
                self.service = None
            case RemoveCanary():
                self.canary, self.canary_restarted = None, ""
            case Ask(verb, digest):
                self._ask(verb, digest, writing.seen.primary)
            case Scale(replicas):
                self._scale(replicas, writing.seen.primary)
            case Label(state):
                self.state = state
        return {}

    def _store(self, status: Status) -> None:
        failed = status.failed_checks > self.status.failed_checks
        if failed and self.measured:
            self.judged.append(self.measured)
        if status.weight != self.status.weight:
            self.decided.append(status.weight)
        self.status = status

    def _measure(self, asked: Measure) -> tuple[Check, ...]:
        gates = self.spec.hooks(*asked.kinds)
        self.called += len(gates)
        checks = tuple(self._said(gate) for gate in gates)
        heard = asked.metrics and (asked.traffic or self.checks.result is Result.UNMEASURED)
        passed = all(check.result is Result.PASSED for check in checks)
        if heard and passed:
            checks += (self.checks,)
        if asked.then and all(check.result is Result.PASSED for check in checks):
            checks += tuple(self._said(gate) for gate in self.spec.hooks(asked.then))
        failed = any(check.failed for check in checks)
        self.measured = self.status.revision, self.status.check_time, failed
        if asked.traffic and self.canary and self.canary_ready() and self._is_last():
            proof = self.canary[0], self.live, self.spec.terms
            passed = all(check.result is Result.PASSED for check in checks if not (check.kind and check.kind.confirms))
            (self.proven.add if passed else self.proven.discard)(proof)
        return checks

    def _said(self, gate: Gate) -> Check:
        said = self.said.get(gate.kind, self.gate if gate.kind is Kind.ROLLOUT else OPEN)
        return replace(said, name=gate.name, kind=gate.kind)

    def _is_last(self) -> bool:
        """Whether the canary gets what it gets at the last position of its analysis."""
        strategy = self.spec.strategy
        last = strategy.is_last(self.status.position, routed=not self.unrouted)
        return last and (self.route or 0) == self.status.weight

    def _run_canary(self, size: int) -> None:
        if self.stash is None:
            raise Moved
        self.canary_restarted = self.restarted or (self.canary_restarted if self.canary else "")
        same = self.canary and self.canary[0] == self.stash
        self.canary = (self.stash, size, self.canary[2] if self.canary and same else self.now)

    def _route(self, weight: int) -> None:
        if self.deleted:
            self.route = None
            return
        if self.route and weight == 0:
            self.last_traffic = self.now
        self.route = None if self.unrouted else weight
        self.weights.append(weight)

    def _scale(self, replicas: int, looked_at: Primary | None) -> None:
        assert looked_at
        if looked_at.replicas != self.replicas:
            raise Moved  # its autoscaler was quicker
        if replicas <= self.replicas:
            self.breaches.append(f"the primary is scaled down to {replicas}")
        self.replicas = replicas

    def _ask(self, verb: str, digest: str, looked_at: Primary | None) -> None:
        """As the webhook answers; a patch for another revision than the one that is there fails its test."""
        assert looked_at
        if (looked_at.stash, looked_at.previous) != (self.stash, self.previous):
            raise Moved
        if verb == "go" and self.stash == digest and self.previous is None:
            self.previous, self.live, self.stash, self.state = self.live, digest, None, "promoting"
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
