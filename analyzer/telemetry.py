"""What the analyzer counts of its own work; docs/telemetry.md lists it. What is known by looking is `census`'s.

The names that begin with flagger are Flagger's, and mean what they mean there, so that its dashboards and alerts work.
Series that name an application go with its Canary (`forget_others`).
"""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Protocol, TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from analyzer.kube.meter import described

disable_created_metrics()  # type: ignore[no-untyped-call]  # the library does not say that it takes nothing

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

Key = tuple[str, str]
APPLICATION = ("namespace", "name")
MINUTES = (30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 43200, 86400)
DELAYS = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

BUILD = Gauge("detour_build_info", "1, of this version and part.", ["part", "version"], registry=REGISTRY)
LEADING = Gauge("detour_leading", "1 while this replica leads.", registry=REGISTRY)
CERTIFICATE_EXPIRES = Gauge(
    "detour_certificate_expiration_timestamp_seconds",
    "When API servers begin to refuse it, in Unix time: the CA that signs, and what this replica serves.",
    ["certificate"],
    registry=REGISTRY,
)
RECONCILE_SECONDS = Histogram(
    "detour_reconcile_duration_seconds",
    "Time to look at one application and do what there is to do.",
    registry=REGISTRY,
)
LAG_SECONDS = Histogram(
    "detour_reconcile_lag_seconds", "From when a look was due to when it began.", buckets=DELAYS, registry=REGISTRY
)
FAILURES = Counter(
    "detour_reconcile_failures", "Duties that failed and are tried again, by why.", ["reason"], registry=REGISTRY
)
QUEUE_LENGTH = Gauge("detour_queue_length", "Applications that are due, and wait for a worker.", registry=REGISTRY)
QUEUE_LATER = Gauge("detour_queue_scheduled", "Applications that will be due at a later time.", registry=REGISTRY)
ACTIONS = Counter("detour_actions", "Actions carried out, by kind.", ["action"], registry=REGISTRY)
API_REQUESTS = Counter(
    "detour_api_requests",
    "Requests to the API server; without an answer, the code is none.",
    ["verb", "resource", "code"],
    registry=REGISTRY,
)
API_SECONDS = Histogram(
    "detour_api_request_duration_seconds", "Until the answer of the API server began.", ["verb"], registry=REGISTRY
)
QUERY_SECONDS = Histogram(
    "detour_metric_query_duration_seconds",
    "Time to measure one metric, by what came of it.",
    ["result"],
    registry=REGISTRY,
)
GATE_SECONDS = Histogram(
    "detour_gate_call_duration_seconds",
    "Time that a gate kept a canary waiting for one answer, repetitions included, by what came of it.",
    ["result"],
    buckets=DELAYS,
    registry=REGISTRY,
)
DELIVERIES = Counter(
    "detour_deliveries",
    "Hooks and alerts that nobody waits for, by what came of them: arrived, or missed.",
    ["result"],
    registry=REGISTRY,
)
ALERTS = Counter(
    "detour_alerts",
    "Alerts, by what came of them: arrived, or missed; and tries in vain: again.",
    ["result"],
    registry=REGISTRY,
)
LET_PAST = Counter(
    "detour_let_past",
    "Templates that went to a primary without an analysis, by the way.",
    ["reason"],
    registry=REGISTRY,
)
ROLLOUT_SECONDS = Histogram(
    "detour_canary_duration_seconds",
    "From the beginning of a canary to its end, by outcome.",
    ["outcome"],
    buckets=MINUTES,
    registry=REGISTRY,
)
CHECKS = Counter(
    "detour_canary_checks", "Checks of a canary, by verdict.", [*APPLICATION, "check", "result"], registry=REGISTRY
)
ENDINGS = Counter(
    "detour_canary_endings", "Canaries that ended, by outcome.", [*APPLICATION, "outcome"], registry=REGISTRY
)
FLAGGER_SECONDS = Histogram(
    "flagger_canary_duration_seconds",
    "Seconds spent performing canary analysis: one look at an application while something is in flight.",
    ["name", "namespace"],
    buckets=(0.1, 1.0, 10.0),
    registry=REGISTRY,
)
FLAGGER_ANALYSIS = Gauge(
    "flagger_canary_metric_analysis", "Last value of a metric.", ["name", "namespace", "metric"], registry=REGISTRY
)
FLAGGER_SUCCESSES, FLAGGER_FAILURES = (
    Counter(
        f"flagger_canary_{kind}",
        f"Total number of canary {kind}.",
        ["name", "namespace", "deployment_strategy", "analysis_status"],
        registry=REGISTRY,
    )
    for kind in ("successes", "failures")
)
_OF_APPLICATIONS = (CHECKS, ENDINGS, FLAGGER_SECONDS, FLAGGER_ANALYSIS, FLAGGER_SUCCESSES, FLAGGER_FAILURES)

_WAYS = {"opted out": "opted-out", "let past": "bypass", "changed directly": "direct", "changed past": "unseen"}
"""How the sentences begin that say it (`webhook.divert`, manifests/policies/bypass.yaml, `analyzer.unseen`)."""

for _way in _WAYS.values():  # a rate begins with the first event, not the second
    LET_PAST.labels(_way)

for _result in ("arrived", "missed"):
    DELIVERIES.labels(_result)
    ALERTS.labels(_result)
ALERTS.labels("again")

_counted: set[Key] = set()
_lock = threading.Lock()


class Checked(Protocol):
    """What a check is to a counter (`analyzer.metrics.verdict.Check`)."""

    @property
    def name(self) -> str: ...
    @property
    def result(self) -> str: ...
    @property
    def value(self) -> float | None: ...


C = TypeVar("C", bound=Checked)


def timed(histogram: Histogram, check: Callable[[], C]) -> C:
    """Carry out a check, and count how long that took by what came of it."""
    began = time.monotonic()
    done = check()
    histogram.labels(done.result).observe(time.monotonic() - began)
    return done


def requested(method: str, path: str, query: Mapping[str, str] | None, status: int, seconds: float) -> None:
    """Count a request to the API server (`analyzer.kube.client.Told`)."""
    verb, resource = described(method, path, query)
    API_REQUESTS.labels(verb, resource, str(status or "none")).inc()
    API_SECONDS.labels(verb).observe(seconds)


def checked(key: Key, checks: Iterable[Checked]) -> None:
    """Count the checks of one measurement."""
    _remember(key)
    for check in checks:
        CHECKS.labels(*key, check.name, check.result).inc()
        if check.value is not None:
            FLAGGER_ANALYSIS.labels(key[1], key[0], check.name).set(check.value)


def ended(key: Key, outcome: str, seconds: float, *, analysed: bool) -> None:
    """Count the ending of a canary."""
    _remember(key)
    ENDINGS.labels(*key, outcome).inc()
    ROLLOUT_SECONDS.labels(outcome).observe(seconds)
    flaggers = FLAGGER_SUCCESSES if outcome == "Succeeded" else FLAGGER_FAILURES
    flaggers.labels(key[1], key[0], "canary", "completed" if analysed else "skipped").inc()


def looked(key: Key, seconds: float) -> None:
    """Count a look at an application with something in flight."""
    _remember(key)
    FLAGGER_SECONDS.labels(key[1], key[0]).observe(seconds)


def let_past(sentence: str) -> None:
    """Count what went past an analysis, by the sentence that says so."""
    LET_PAST.labels(next((way for words, way in _WAYS.items() if sentence.startswith(words)), "other")).inc()


def forget_others(known: Collection[Key]) -> None:
    """Series of applications that are not among these go."""
    with _lock:
        gone = {key for key in _counted if key not in known}
        _counted.difference_update(gone)
    for namespace, name in gone:
        for metric in _OF_APPLICATIONS:
            metric.remove_by_labels({"namespace": namespace, "name": name})


def exposition() -> bytes:
    """All metrics in Prometheus' text format."""
    return generate_latest(REGISTRY)


def _remember(key: Key) -> None:
    with _lock:
        _counted.add(key)
