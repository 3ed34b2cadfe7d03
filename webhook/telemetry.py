"""Our own metrics: how often the webhook decided what, and how long that took."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)  # seconds


class Telemetry:
    """Counts answers. Safe to use from several threads."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._decisions = Counter(
            "detour_webhook_decisions", "Reviews answered, by what was decided.", ["decision"], registry=self._registry
        )
        self._seconds = Histogram(
            "detour_webhook_seconds", "Time to answer a review, TLS left out.", buckets=BUCKETS, registry=self._registry
        )

    def observe(self, kind: str, seconds: float) -> None:
        """Count one answer."""
        self._decisions.labels(kind).inc()
        self._seconds.observe(seconds)

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self._registry)
