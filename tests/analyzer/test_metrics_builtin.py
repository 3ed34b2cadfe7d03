"""The built-in metrics: queries for the canary's own share of the Ingress controller's numbers."""

import re

import pytest

from analyzer.metrics.builtin import NAMES, routes_of, template
from analyzer.metrics.query import query_for
from analyzer.metrics.verdict import DURATION, SUCCESS_RATE
from tests.analyzer.objects import ingress

ROUTES = [("front", "podinfo", "9898"), ("old.front", "podinfo", "http")]


def query(name: str) -> str:
    metric = {"name": name, "interval": "30s"}
    found = template(metric, "shop", ROUTES, "http://prometheus:9090")
    return query_for(metric, found, {"namespace": "shop"})


@pytest.mark.parametrize("name", NAMES)
def test_a_query_counts_the_canarys_requests_and_nobody_elses(name: str) -> None:
    written = query(name)
    traefik = set(re.findall(r'service=~"([^"]+)"', written)).pop().split("|")
    assert traefik == [
        "shop-front-podinfo-9898-canary@kubernetesingressnginx",
        "shop-old-front-podinfo-http-canary@kubernetesingressnginx",
    ]
    assert set(re.findall(r'ingress=~"([^"]+)",canary!=""', written)) == {r"front|old\\.front"}
    assert set(re.findall(r'namespace="(\w+)"', written)) == {"shop"}
    assert "[30s]" in written
    assert "{{" not in written


def test_a_canary_whose_every_request_failed_has_a_success_rate_of_0_and_not_none() -> None:
    assert " or vector(0)) / sum(" in query(SUCCESS_RATE)


def test_the_duration_is_the_99th_percentile_in_milliseconds() -> None:
    assert query(DURATION).startswith(
        "1000 * histogram_quantile(0.99, sum by (le) (rate(traefik_service_request_duration"
    )


def test_it_is_asked_of_the_prometheus_that_is_named() -> None:
    provider = template({"name": SUCCESS_RATE}, "shop", ROUTES, "http://prometheus:9090")["spec"]["provider"]
    assert provider == {"type": "prometheus", "address": "http://prometheus:9090"}


def test_a_metric_may_bring_a_query_of_its_own() -> None:
    metric = {"name": "mine", "query": 'up{pod="{{ target }}"}'}
    found = template(metric, "shop", ROUTES, "http://prometheus:9090")
    assert query_for(metric, found, {"target": "web-canary"}) == 'up{pod="web-canary"}'


def test_only_routes_to_the_primarys_services_count() -> None:
    front = ingress("front", ("a.example", "/", "web"), ("b.example", "/api", "api"), ("b.example", "/old", "web"))
    assert routes_of([front], ["web"]) == [("front", "web", "80"), ("front", "web", "80")]
