"""Flagger's built-in metrics, from the Ingress controller's own numbers: no application need export anything.

Each is a MetricTemplate like a user's, made for the routes that lead to the canary, so that it is asked and judged in
the same way. One query is for every controller that we know, since only one of them has the series. Otherwise than
Flagger's: a canary whose every request failed has a success rate of 0 and not none; the duration is the 99th
percentile with ingress-nginx, too, where Flagger takes the mean.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from analyzer.discovery import paths
from analyzer.kube.resources import METRIC_TEMPLATES
from analyzer.metrics.verdict import DURATION, SUCCESS_RATE

NAMES = (SUCCESS_RATE, DURATION)

Route = tuple[str, str, str]
"""Names of Ingress and Service, and the Service's port as the Ingress names it: where the canary has a share."""

_NEITHER_LETTER_NOR_DIGIT = re.compile(r"[^a-zA-Z0-9]+")


def template(metric: Mapping[str, Any], namespace: str, routes: Iterable[Route], address: str) -> dict[str, Any]:
    """The MetricTemplate of a metric that has none: a built-in one, one of NAMES, or one with a `query` of its own.

    `address` is that of the Prometheus that scrapes the Ingress controller (Canary.spec.metricsServer).
    """
    chosen = sorted(set(routes))
    query = metric.get("query") or (_SUCCESS_RATE if metric["name"] == SUCCESS_RATE else _DURATION)
    services = "|".join(_traefik(namespace, route) for route in chosen)
    ingresses = "|".join(sorted({_literally(ingress) for ingress, _, _ in chosen}))
    return {
        "apiVersion": METRIC_TEMPLATES.api_version,
        "kind": METRIC_TEMPLATES.kind,
        "metadata": {"name": metric["name"], "namespace": namespace},
        "spec": {
            "provider": {"type": "prometheus", "address": address},
            "query": query.replace("SERVICES", services).replace("INGRESSES", ingresses),
        },
    }


def routes_of(ingresses: Iterable[Mapping[str, Any]], services: Iterable[str]) -> list[Route]:
    """The routes of the user's Ingresses that lead to these Services."""
    wanted = set(services)
    found = []
    for ingress in ingresses:
        for _, path in paths(ingress):
            service = path["backend"].get("service") or {}
            if service.get("name") in wanted:
                port = service.get("port") or {}
                named = str(port.get("name") or port.get("number") or "")
                found.append((ingress["metadata"]["name"], service["name"], named))
    return found


def _traefik(namespace: str, route: Route) -> str:
    """How Traefik names the service of a canary (its provider kubernetesIngressNGINX), and counts its requests."""
    parts = _NEITHER_LETTER_NOR_DIGIT.split("-".join((namespace, *route)))
    return "-".join(part for part in parts if part) + "-canary@kubernetesingressnginx"


def _literally(name: str) -> str:
    """A name of Kubernetes as a regular expression of PromQL, between double quotes."""
    return name.replace(".", r"\\.")


def _rates(traefik: str, nginx: str, good: tuple[str, str] = ("", "")) -> str:
    """The rates of the controller that there is; Prometheus renames ingress-nginx' namespace where it sets its own."""
    nginxs = 'ingress=~"INGRESSES",canary!=""'
    return " or ".join(
        f"rate({selector}[{{{{ interval }}}}])"
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
_SUCCESS_RATE = f"100 * (sum({_rates(*_REQUESTS, _GOOD)}) or vector(0)) / sum({_rates(*_REQUESTS)})"
_DURATION = f"1000 * histogram_quantile(0.99, sum by (le) ({_rates(*_SECONDS)}))"
