"""Flagger's built-in metrics, from the router's own numbers: no application need export anything.

Each is a MetricTemplate like a user's, made for the routes that lead to the canary, so that it is asked and judged in
the same way. One query is for every router that we know, since only one of them has the series. Otherwise than
Flagger's: a canary whose every request failed has a success rate of 0 and not none; the duration is the 99th
percentile with ingress-nginx, too, where Flagger takes the mean. Of HTTPRoutes that another than Traefik serves the
application's own numbers are taken, as by Flagger's provider gatewayapi:v1.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from analyzer.discovery import Surroundings, paths
from analyzer.kube.resources import METRIC_TEMPLATES
from analyzer.metrics.verdict import DURATION, SUCCESS_RATE
from analyzer.ownership import LONGEST, canary_name
from analyzer.routing.gateways import controllers
from analyzer.routing.rules import Canaries

NAMES = (SUCCESS_RATE, DURATION)
TRAEFIK = "traefik.io/gateway-controller"
REQUESTS = {"name": "requests"}
"""What `minRequests` is compared to: how many requests the canary has had, whichever metric is to be judged."""

Object = Mapping[str, Any]

_NEITHER_LETTER_NOR_DIGIT = re.compile(r"[^a-zA-Z0-9]+")


@dataclass(frozen=True, slots=True)
class Series:
    """Where the canary's requests are counted: `services` as Traefik calls them, and by the names of `ingresses`.

    `by_application` is whether nobody but the application counts them. It is no way out where a router has no number
    yet: probes that a canary passes would make up for users that it fails.
    """

    services: frozenset[str] = frozenset()
    ingresses: frozenset[str] = frozenset()
    by_application: bool = False


def template(metric: Object, namespace: str, series: Series, address: str) -> dict[str, Any]:
    """The MetricTemplate of a metric that has none: a built-in one, one of NAMES, or one with a `query` of its own.

    `address` is that of the Prometheus that scrapes the router (Canary.spec.metricsServer).
    """
    query = metric.get("query") or _QUERIES[metric["name"]][series.by_application]
    ingresses = "|".join(sorted(map(_literally, series.ingresses)))
    return {
        "apiVersion": METRIC_TEMPLATES.api_version,
        "kind": METRIC_TEMPLATES.kind,
        "metadata": {"name": metric["name"], "namespace": namespace},
        "spec": {
            "provider": {"type": "prometheus", "address": address},
            "query": query.replace("SERVICES", "|".join(sorted(series.services))).replace("INGRESSES", ingresses),
        },
    }


def series_of(around: Surroundings) -> Series:
    """Those of the user's routes that lead to the Services of the primary."""
    names = {name: canary_name(name, LONGEST) for name in (each["metadata"]["name"] for each in around.services)}
    services = {*_by_ingress(around.ingresses, names), *_by_gateway(around.http_routes, names)}
    ingresses = frozenset(ingress["metadata"]["name"] for ingress in around.ingresses)
    serving = {
        each for route in around.http_routes for each in controllers(route, around.gateways, around.gateway_classes)
    }
    return Series(frozenset(services), ingresses, bool(serving - {TRAEFIK}))


def _by_ingress(ingresses: Iterable[Object], names: Mapping[str, str]) -> Iterator[str]:
    """How Traefik names the service of a canary (its provider kubernetesIngressNGINX), and counts its requests."""
    for ingress in ingresses:
        for _, path in paths(ingress):
            service = path["backend"].get("service") or {}
            if service.get("name") in names:
                metadata, port = ingress["metadata"], service.get("port") or {}
                named = str(port.get("name") or port.get("number") or "")
                place = _normal(metadata["namespace"], metadata["name"], service["name"], named)
                yield f"{place}-canary@kubernetesingressnginx"


def _by_gateway(routes: Iterable[Object], names: Mapping[str, str]) -> Iterator[str]:
    """The same for its provider kubernetesGateway, where a service is a Service's, whatever route leads to it."""
    for route in routes:
        namespace = route["metadata"]["namespace"]
        canaries = Canaries(namespace, names)
        for rule in route["spec"].get("rules") or ():
            for ref in rule.get("backendRefs") or ():
                if canary := canaries.of(ref):
                    yield f"{_normal(namespace, canary, 'http', str(ref.get('port', '')))}@kubernetesgateway"


def _normal(*parts: str) -> str:
    """As Traefik normalises names (pkg/provider, Normalize)."""
    return "-".join(part for part in _NEITHER_LETTER_NOR_DIGIT.split("-".join(parts)) if part)


def _literally(name: str) -> str:
    """A name of Kubernetes as a regular expression of PromQL, between double quotes."""
    return name.replace(".", r"\\.")


def _rates(traefik: str, nginx: str, good: tuple[str, str] = ("", ""), function: str = "rate") -> str:
    """The rates of the controller that there is; Prometheus renames ingress-nginx' namespace where it sets its own."""
    nginxs = 'ingress=~"INGRESSES",canary!=""'
    return " or ".join(
        f"{function}({selector}[{{{{ interval }}}}])"
        for selector in (
            f'{traefik}{{service=~"SERVICES"{good[0]}}}',
            f'{nginx}{{namespace="{{{{ namespace }}}}",{nginxs}{good[1]}}}',
            f'{nginx}{{exported_namespace="{{{{ namespace }}}}",{nginxs}{good[1]}}}',
        )
    )


_REQUESTS = ("traefik_service_requests_total", "nginx_ingress_controller_requests")
_SECONDS = (
    "traefik_service_request_duration_seconds_bucket",
    "nginx_ingress_controller_request_duration_seconds_bucket",
)
_GOOD = (',code!~"5.."', ',status!~"5.."')


def _success(good: str, every: str) -> str:
    return f"100 * (sum({good}) or vector(0)) / sum({every})"


def _slowest(buckets: str) -> str:
    return f"1000 * histogram_quantile(0.99, sum by (le) ({buckets}))"


def _own(series: str, good: str = "", function: str = "rate") -> str:
    pods = 'kubernetes_namespace="{{ namespace }}",kubernetes_pod_name=~"{{ target }}-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)"'
    return f"{function}(http_request_duration_seconds_{series}{{{pods}{good}}}[{{{{ interval }}}}])"


_SUCCESS_RATE = _success(_rates(*_REQUESTS, _GOOD), _rates(*_REQUESTS))
_DURATION = _slowest(_rates(*_SECONDS))
_OWN_SUCCESS_RATE = _success(_own("count", ',status!~"5.*"'), _own("count"))
_OWN_DURATION = _slowest(_own("bucket"))
_QUERIES = {
    SUCCESS_RATE: (_SUCCESS_RATE, _OWN_SUCCESS_RATE),
    DURATION: (_DURATION, _OWN_DURATION),
    REQUESTS["name"]: (f"sum({_rates(*_REQUESTS, function='increase')})", f"sum({_own('count', function='increase')})"),
}
"""By the name of a metric: what routers count, and what the application does."""
