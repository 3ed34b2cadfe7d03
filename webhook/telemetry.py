"""What the webhook tells of its own work; docs/telemetry.md lists it."""

from flask import Flask, Response
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from webhook.decision import Kind

BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)  # seconds
MALFORMED = "malformed"

disable_created_metrics()  # type: ignore[no-untyped-call]  # the library does not say that it takes nothing


class Telemetry:
    """Counts answers. Safe to use from several threads."""

    def __init__(self, version: str = "") -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        build = Gauge("detour_build_info", "1, of this version and part.", ["part", "version"], registry=registry)
        build.labels("webhook", version).set(1)
        self._decisions = Counter(
            "detour_webhook_decisions",
            "Reviews by what was decided, and whether nothing was to be stored anyway.",
            ["decision", "dry_run"],
            registry=registry,
        )
        self._seconds = Histogram(
            "detour_webhook_duration_seconds",
            "Time to answer a review, TLS left out, by what was decided.",
            ["decision"],
            buckets=BUCKETS,
            registry=registry,
        )
        self._responses = Counter(
            "detour_webhook_responses", "Requests answered, by HTTP status code.", ["code"], registry=registry
        )
        self._in_progress = Gauge(
            "detour_webhook_reviews_in_progress", "Requests that are worked on, or wait for it.", registry=registry
        )
        for kind in (*Kind, MALFORMED):  # a rate begins with the first event, not the second
            self._decisions.labels(kind, "false")
            self._seconds.labels(kind)
        self._responses.labels("200")

    def observe(self, kind: str, seconds: float, dry_run: bool) -> None:
        """Count one decision."""
        self._decisions.labels(kind, "true" if dry_run else "false").inc()
        self._seconds.labels(kind).observe(seconds)

    def follow(self, app: Flask) -> None:
        """Count every request to `app`, whatever becomes of it."""

        def responded(response: Response) -> Response:
            self._responses.labels(str(response.status_code)).inc()
            return response

        app.before_request(lambda: self._in_progress.inc())
        app.after_request(responded)
        app.teardown_request(lambda _error: self._in_progress.dec())

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self.registry)
