"""The built-in metrics: queries for the canary's own share of the Ingress controller's numbers."""

import re

import pytest

from analyzer.discovery import Surroundings
from analyzer.metrics.builtin import NAMES, REQUESTS, Series, series_of, template
from analyzer.metrics.query import query_for
from analyzer.metrics.verdict import DURATION, SUCCESS_RATE
from tests.analyzer.objects import ingress, service
from tests.analyzer.routes import backend, http_route, rule

SERIES = Series(frozenset({"b@kubernetesingressnginx", "a@kubernetesgateway"}), frozenset({"front", "old.front"}))


def query(name: str, series: Series = SERIES) -> str:
    metric = {"name": name, "interval": "30s"}
    found = template(metric, "shop", series, "http://prometheus:9090")
    return query_for(metric, found, {"namespace": "shop", "target": "web-canary"})


@pytest.mark.parametrize("name", [*NAMES, REQUESTS["name"]])
def test_a_query_counts_the_canarys_requests_and_nobody_elses(name: str) -> None:
    written = query(name)
    assert set(re.findall(r'service=~"([^"]+)"', written)) == {"a@kubernetesgateway|b@kubernetesingressnginx"}
    assert set(re.findall(r'ingress=~"([^"]+)",canary!=""', written)) == {r"front|old\\.front"}
    assert set(re.findall(r'namespace="(\w+)"', written)) == {"shop"}
    assert "[30s]" in written
    assert "{{" not in written


def test_a_canary_whose_every_request_failed_has_a_success_rate_of_0_and_not_none() -> None:
    assert " or vector(0)) / sum(" in query(SUCCESS_RATE)


def test_requests_are_counted_over_the_interval_by_the_router_or_by_the_application_itself() -> None:
    name = REQUESTS["name"]
    assert query(name).startswith("sum(increase(traefik_service_requests_total{")
    own = 'sum(increase(http_request_duration_seconds_count{kubernetes_namespace="shop"'
    assert own not in query(name)
    assert query(name, Series(by_application=True)).startswith(own)


def test_the_duration_is_the_99th_percentile_in_milliseconds() -> None:
    assert query(DURATION).startswith(
        "1000 * histogram_quantile(0.99, sum by (le) (rate(traefik_service_request_duration"
    )


def test_it_is_asked_of_the_prometheus_that_is_named() -> None:
    provider = template({"name": SUCCESS_RATE}, "shop", SERIES, "http://prometheus:9090")["spec"]["provider"]
    assert provider == {"type": "prometheus", "address": "http://prometheus:9090"}


def test_a_metric_may_bring_a_query_of_its_own() -> None:
    metric = {"name": "mine", "query": 'up{pod="{{ target }}"}'}
    found = template(metric, "shop", SERIES, "http://prometheus:9090")
    assert query_for(metric, found, {"target": "web-canary"}) == 'up{pod="web-canary"}'


def test_only_routes_to_the_primarys_services_count() -> None:
    front = ingress("old.front", ("a.example", "/", "web"), ("b.example", "/api", "api"), ("b.example", "/old", "web"))
    found = series_of(Surroundings(services=(service(),), ingresses=(front,)))
    assert found == Series(frozenset({"shop-old-front-web-80-canary@kubernetesingressnginx"}), frozenset({"old.front"}))


def behind(controller: str) -> Surroundings:
    routes = (http_route("one", rule(backend(port=8080))), http_route("two", rule(backend(port=8080), backend("db"))))
    gateway = {"metadata": {"name": "public", "namespace": "infra"}, "spec": {"gatewayClassName": "edge"}}
    edge = {"metadata": {"name": "edge"}, "spec": {"controllerName": controller}}
    return Surroundings(services=(service(),), http_routes=routes, gateways=(gateway,), gateway_classes=(edge,))


def test_to_traefiks_gateway_a_service_is_the_same_by_whatever_route() -> None:
    found = series_of(behind("traefik.io/gateway-controller"))
    assert found == Series(frozenset({"shop-web-canary-http-8080@kubernetesgateway"}))


def test_behind_another_gateway_the_application_counts() -> None:
    assert series_of(behind("example.com/edge")).by_application
    assert series_of(Surroundings(services=(service(),), http_routes=(http_route(),))).by_application, (
        "nobody knows whose"
    )
    written = query(SUCCESS_RATE, Series(by_application=True))
    assert 'kubernetes_namespace="shop",kubernetes_pod_name=~"web-canary-' in written
    assert "traefik" not in written


def test_where_a_router_counts_its_first_number_is_waited_for() -> None:
    """Or the probes that a canary passes would stand for the users that it fails."""
    assert "http_request_duration_seconds" not in query(SUCCESS_RATE)
