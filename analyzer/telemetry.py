"""What the analyzer counts of its own work."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REGISTRY = CollectorRegistry()
RECONCILE_SECONDS = Histogram(
    "detour_reconcile_seconds", "Time to look at one application and do what there is to do.", registry=REGISTRY
)
ACTIONS = Counter("detour_actions_total", "Actions carried out, by kind.", ["action"], registry=REGISTRY)
FAILURES = Counter("detour_reconcile_failures_total", "Looks that failed and are tried again.", registry=REGISTRY)
LEADING = Gauge("detour_leading", "1 while this replica leads.", registry=REGISTRY)
CERTIFICATE_EXPIRES = Gauge(
    "detour_certificate_expiration_timestamp_seconds",
    "When API servers begin to refuse it, in Unix time: the CA that signs, and what this replica serves.",
    ["certificate"],
    registry=REGISTRY,
)


def exposition() -> bytes:
    """All metrics in Prometheus' text format."""
    return generate_latest(REGISTRY)
