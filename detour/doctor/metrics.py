"""Whether built-in metrics will find anything: which Prometheus is asked, and the Ingress controller's series in it."""

from collections.abc import Iterator

from detour.doctor.finding import Finding, fail, ok, warn
from detour.doctor.snapshot import Snapshot

CHECK = "Prometheus"
REQUESTS = ("traefik_service_requests_total", "nginx_ingress_controller_requests")
SECONDS = (
    "traefik_service_request_duration_seconds_bucket",
    "nginx_ingress_controller_request_duration_seconds_bucket",
)
ALIVE = ("traefik_config_reloads_total", "nginx_ingress_controller_config_hash")  # there before the first request
QUERY = 'count by (__name__) ({__name__=~"' + "|".join((*REQUESTS, *SECONDS, *ALIVE)) + '"})'


def check(seen: Snapshot) -> Iterator[Finding]:
    """Only what is installed has a Prometheus."""
    if seen.deployment is None:
        return
    found = seen.prometheus
    if found is None:
        remedy = "set --metrics-server of the analyzer, or spec.metricsServer of each Canary that uses them"
        yield warn(CHECK, "none is named for built-in metrics, which the default policy uses", remedy)
    elif not found.asked:
        yield warn(
            CHECK, f"{found.address} cannot be asked from here: {found.problem}", "see whether the first canary halts"
        )
    elif found.problem:
        remedy = "correct --metrics-server of the analyzer, or see to that Prometheus: canaries halt without it"
        yield fail(CHECK, f"{found.address}: {found.problem}", remedy)
    else:
        yield _series(found.address, found.series)


def _series(address: str, series: frozenset[str]) -> Finding:
    requests, seconds = series.intersection(REQUESTS), series.intersection(SECONDS)
    if requests and seconds:
        return ok(CHECK, f"{address} has {', '.join(sorted(requests | seconds))}")
    if not series.intersection(ALIVE) and not requests:
        remedy = "have it scrape the Ingress controller's metrics; MetricTemplates of your own do not need them"
        return warn(CHECK, f"{address} answers, and has no metrics of an Ingress controller", remedy)
    missing = "requests" if not requests else "durations"
    found = f"{address} scrapes the Ingress controller, and has no {missing} of it yet"
    return warn(CHECK, found, "send a request through an Ingress, and look again")
