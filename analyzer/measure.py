"""One measurement: every gate of the analysis is called, every metric is asked of its provider and judged."""

from collections.abc import Mapping
from typing import Any

from analyzer import telemetry
from analyzer.cluster import Cluster
from analyzer.gates import call, payload
from analyzer.gauges import Gauges, Reach
from analyzer.hooks import Gate
from analyzer.metrics.verdict import Check, Result
from analyzer.observe import View
from analyzer.spec import parse
from analyzer.status import Phase

Object = Mapping[str, Any]


class Measurer:
    """Calls the gates and measures the metrics of a Canary; safe between threads."""

    def __init__(self, cluster: Cluster, reach: Reach) -> None:
        self._gauges = Gauges(cluster, reach)
        self._reach = reach

    def __call__(self, view: View, *, traffic: bool) -> tuple[Check, ...]:
        """A check for each gate and, if all gates are open, for each metric (Flagger's order).

        Without `traffic` a metric has nothing to judge: only that it cannot be measured is a finding.
        Never raises, since what cannot be measured is a finding, too.
        """
        assert view.canary
        spec = parse(view.canary)
        checks = tuple(self._called(gate, view) for gate in spec.gates)
        if all(check.result is Result.PASSED for check in checks):
            measured = [self._measured(metric, view) for metric in spec.metrics]
            checks += tuple(check for check in measured if traffic or check.result is Result.UNMEASURED)
        telemetry.checked(view.key, checks)
        return checks

    def problem(self, view: View) -> str:
        """Why a metric could not be measured, by what is known without asking its provider; "" if nothing is wrong."""
        return self._gauges.problem(view)

    def _called(self, gate: Gate, view: View) -> Check:
        assert view.canary
        body = payload(view.canary, Phase.PROGRESSING.value, view.occasion[0], gate)
        return telemetry.timed(telemetry.GATE_SECONDS, lambda: call(gate, body, self._reach.addresses))

    def _measured(self, metric: Object, view: View) -> Check:
        return telemetry.timed(telemetry.QUERY_SECONDS, lambda: self._gauges.check(metric, view))
