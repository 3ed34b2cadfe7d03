"""What is known of canaries by looking, counted when Prometheus asks: nothing is kept, so nothing can be left behind.

Only the replica that leads tells, as one of them is enough and sums are to be right.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from analyzer import policy, telemetry
from analyzer.agenda import Key
from analyzer.cluster import Cluster
from analyzer.places import is_queued
from analyzer.spec import target_of
from analyzer.status import Outcome, Phase, Status
from analyzer.stored import from_object
from analyzer.unseen import Running
from analyzer.witness import OUTCOME as LET_PAST
from webhook import stash

Object = Mapping[str, Any]

_APPLICATION = ("namespace", "name")
_FLAGGERS = ("name", "namespace")
_FLAGGER_STATUS = {Phase.PROGRESSING: 0, Phase.FAILED: 2}
"""And 1 for everything else, as in Flagger (pkg/metrics, recorder.SetStatus)."""


class Census(Collector):
    """The gauges of all Canaries that the watches hold; `leads` is whether this replica is the one to tell."""

    def __init__(self, cluster: Cluster, leads: Callable[[], bool]) -> None:
        self._cluster = cluster
        self._leads = leads

    def exposition(self) -> bytes:
        """All metrics of the analyzer in Prometheus' text format."""
        telemetry.forget_others(self._canaries())
        return telemetry.exposition()

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Called by the registry at every scrape."""
        leads = self._leads()
        statuses = {key: from_object(canary) for key, canary in self._canaries().items()} if leads else {}
        waiting = GaugeMetricFamily("detour_waiting_deployments", "Deployments with an update that waits.")
        if leads:
            waiting.add_metric((), sum(_waits(found) for found in self._cluster.diverted.all()))
        return waiting, *_ours(statuses), *_flaggers(statuses)

    def _canaries(self) -> dict[Key, Object]:
        """By target; of several with the same one the first counts, and of what is Flagger's none."""
        found: dict[Key, Object] = {}
        ours = (canary for canary in self._cluster.canaries.all() if self._cluster.flagger.leaves(canary))
        for canary in sorted(ours, key=policy.rank):
            found.setdefault((canary["metadata"]["namespace"], target_of(canary)), canary)
        return found


def _waits(deployment: Object) -> bool:
    return stash.TEMPLATE in (deployment["metadata"].get("annotations") or {})


def _ours(statuses: Mapping[Key, Status]) -> Iterable[GaugeMetricFamily]:
    phase = GaugeMetricFamily("detour_canary_phase", "1, of the phase that it is in.", labels=(*_APPLICATION, "phase"))
    weight = _family("weight_ratio", "The canary's share of the requests, from 0 to 1.")
    failed = _family("failed_checks", "How many checks have failed.")
    halted = _family("halted", "1 while something keeps it from going on; status.message says what.")
    queued = _family("queued", "1 while it waits for nothing but its turn, since so many are in flight already.")
    guarded = _family("guarded", "1 while the next update is certain to be diverted.")
    unproven = _family("unproven", "1 while the primary runs what went past an analysis.")
    step = _family("last_step_timestamp_seconds", "When it went on last, in Unix time, while something is in flight.")
    for key, status in statuses.items():
        phase.add_metric((*key, status.phase.value or "New"), 1)
        weight.add_metric(key, status.weight / 100)
        failed.add_metric(key, status.failed_checks)
        halted.add_metric(key, bool(status.problem) and not is_queued(status))
        queued.add_metric(key, is_queued(status))
        guarded.add_metric(key, status.guarded)
        unproven.add_metric(key, _is_unproven(status))
        if status.phase.in_flight and status.step_time:
            step.add_metric(key, status.step_time.timestamp())
    return phase, weight, failed, halted, queued, guarded, unproven, step


def _is_unproven(status: Status) -> bool:
    """Whether what ran when last seen was let past, and has never passed."""
    running = Running.decode(status.primary)
    ways = {entry.get("outcome") for entry in status.history if running and entry.get("revision") == running.digest}
    return (
        LET_PAST in ways and Outcome.SUCCEEDED not in ways and running is not None and running.digest != status.promoted
    )


def _flaggers(statuses: Mapping[Key, Status]) -> Iterable[GaugeMetricFamily]:
    total = GaugeMetricFamily("flagger_canary_total", "Total number of canary objects.", labels=("namespace",))
    phase = GaugeMetricFamily(
        "flagger_canary_status", "Last canary analysis result: 1 successful, 2 failed, 0 progressing.", labels=_FLAGGERS
    )
    weight = GaugeMetricFamily(
        "flagger_canary_weight",
        "The virtual service destination weight current value.",
        labels=("workload", "namespace"),
    )
    counts: dict[str, int] = {}
    for (namespace, name), status in statuses.items():
        counts[namespace] = counts.get(namespace, 0) + 1
        phase.add_metric((name, namespace), _FLAGGER_STATUS.get(status.phase, 1))
        weight.add_metric((name, namespace), status.weight)
        weight.add_metric((f"{name}-primary", namespace), 100 - status.weight)
    for namespace, count in counts.items():
        total.add_metric((namespace,), count)
    return total, phase, weight


def _family(name: str, meaning: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"detour_canary_{name}", meaning, labels=_APPLICATION)
