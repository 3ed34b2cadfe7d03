"""One measurement: gates are called, every metric is asked of its provider and judged."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from analyzer import telemetry
from analyzer.actions import Measure
from analyzer.cluster import Cluster
from analyzer.gates import call, payload
from analyzer.gauges import Gauges, Reach
from analyzer.hooks import Gate, Kind
from analyzer.metrics.verdict import Check, Result
from analyzer.spec import parse
from analyzer.status import Phase
from analyzer.view import View

Object = Mapping[str, Any]


class Measurer:
    """Calls the gates and measures the metrics of a Canary; safe between threads."""

    def __init__(self, cluster: Cluster, reach: Reach) -> None:
        self._gauges = Gauges(cluster, reach)
        self._reach = reach

    def __call__(self, view: View, wanted: Measure) -> tuple[Check, ...]:
        """A check for each gate and, if all gates are open, for each metric (Flagger's order).

        Never raises, since what cannot be measured is a finding, too.
        """
        assert view.canary
        spec = parse(view.canary)
        checks = self._asked(spec.gates, wanted.kinds, view)
        if wanted.metrics and _content(checks):
            measured = [self._measured(metric, view) for metric in spec.metrics]
            checks += [check for check in measured if wanted.traffic or check.result is Result.UNMEASURED]
        if wanted.then and _content(checks):
            checks += self._asked(spec.gates, (wanted.then,), view)
        telemetry.checked(view.key, checks)
        return tuple(checks)

    def problem(self, view: View) -> str:
        """Why a metric could not be measured, by what is known without asking its provider; "" if nothing is wrong."""
        return self._gauges.problem(view)

    def _asked(self, gates: Iterable[Gate], kinds: Collection[Kind], view: View) -> list[Check]:
        """As they are written, those of a rollback first. After a check that is not passed no other is called."""
        checks: list[Check] = []
        for gate in sorted(gates, key=lambda gate: gate.kind is not Kind.ROLLBACK):
            if gate.kind in kinds:
                checks.append(self._called(gate, view))
                if not (gate.kind.confirms or _content(checks)):
                    break
        return checks

    def _called(self, gate: Gate, view: View) -> Check:
        """Flagger tells the phase to those of a rollback only, all others hear that it progresses."""
        assert view.canary
        revision, phase, _ = view.occasion
        told = phase if gate.kind is Kind.ROLLBACK else Phase.PROGRESSING
        body = payload(view.canary, told, revision, gate.metadata)
        return telemetry.timed(telemetry.GATE_SECONDS, lambda: call(gate, body, self._reach.addresses))

    def _measured(self, metric: Object, view: View) -> Check:
        return telemetry.timed(telemetry.QUERY_SECONDS, lambda: self._gauges.check(metric, view))


def _content(checks: Iterable[Check]) -> bool:
    return all(check.result is Result.PASSED for check in checks)
