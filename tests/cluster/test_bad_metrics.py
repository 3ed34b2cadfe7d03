"""A metric that cannot be measured is known before there is traffic, and what waits goes on once it is mended."""

import json
from collections.abc import Iterator

import pytest

from tests.cluster.complaints import Passing, passing
from tests.cluster.kubectl import Object, eventually, kubectl
from tests.cluster.shop import PROMETHEUS
from tests.cluster.test_metrics import allow_secrets, secret

UNUSABLE: tuple[tuple[Object, str], ...] = (
    ({"type": "graphite"}, "'graphite' is no provider that this version of Detour has"),
    ({"address": f"{PROMETHEUS}?x=y"}, "it ends in a query or a fragment; leave only host, port and path"),
    ({"query": "vector({{ foo }})"}, "{{ foo }} in spec.query of MetricTemplate success-rate: there is no such value"),
    ({"query": "vector({{ variables.x }})"}, "variables.x in spec.query of MetricTemplate success-rate: the metric"),
)
UNANSWERED = (
    ({"address": "http://nowhere.monitoring:9090"}, "nowhere.monitoring:9090: Name or service not known; check"),
    ({"address": "http://prometheus.monitoring:9"}, "Connection refused; check spec.provider.address"),
    ({"address": f"{PROMETHEUS}/nope"}, "/nope answers 404; check spec.provider.address"),
    ({"address": "http://kubernetes.default:443"}, "check spec.provider.address"),
    ({"query": "sum(rate(up[1m])"}, "parse error: unclosed left parenthesis; correct spec.query"),
    ({"query": "up[1m]"}, "spec.query yields a matrix; make it an instant vector"),
    ({"query": '"hello"'}, "spec.query yields a string; make it an instant vector"),
)
NO_DATA = (
    ("nobody_has_this_total", "success-rate: the query yields nothing"),
    ("vector(0) / vector(0)", "success-rate: the query yields NaN, which 0/0 is: probably no requests"),
)


@pytest.fixture(name="shop")
def _shop() -> Iterator[Passing]:
    with passing() as found:
        yield found


def measurable(shop: Passing) -> str:
    """The condition's status and message; empty before there is one."""
    found = [one for one in shop.status.get("conditions", ()) if one["type"] == "Measurable"]
    return f"{found[0]['status']}: {found[0]['message']}" if found else ""


def until_measurable(shop: Passing, said: str) -> None:
    eventually(lambda: said in measurable(shop), said, 30, lambda: shop.status)


def test_what_is_wrong_with_a_query_shows_when_it_is_written_and_so_does_its_correction(shop: Passing) -> None:
    until_measurable(shop, "True: every metric was answered")
    shop.apply(shop.template("sum(rate(up[1m])"))
    until_measurable(shop, "unclosed left parenthesis; correct spec.query")
    shop.tells(f"Metrics of podinfo.{shop.namespace} cannot be measured: ", "Canary")
    shop("delete", "metrictemplate", "success-rate")
    until_measurable(shop, f"there is no MetricTemplate success-rate in namespace {shop.namespace}; create it")
    shop.apply(shop.template())
    until_measurable(shop, "True: every metric was answered")
    shop.tells(f"Metrics of podinfo.{shop.namespace} can be measured again", "Canary")


def test_a_template_that_cannot_be_used_is_known_before_anything_runs(shop: Passing) -> None:
    for number, (wrong, said) in enumerate(UNUSABLE):
        shop.apply(shop.template(**wrong))
        if number == 0:
            shop.set_image("6.0.1")
        shop.waits_saying(said)
    assert shop.leftovers() == []
    shop.apply(shop.template())
    shop.goes_on()


def test_a_provider_that_gives_no_answer_is_known_before_there_is_traffic(shop: Passing) -> None:
    for number, (wrong, said) in enumerate(UNANSWERED):
        shop.apply(shop.template(**wrong))
        if number == 0:
            shop.set_image("6.0.1")
        shop.waits_saying(said)
    shop.apply(shop.template())
    shop.goes_on()


def test_a_metric_without_data_keeps_the_canary_at_its_first_step(shop: Passing) -> None:
    for number, (query, said) in enumerate(NO_DATA):
        shop.apply(shop.template(query))
        if number == 0:
            shop.set_image("6.0.1")
        shop.says(said)
        shop.tells(said)
        assert (shop.status["canaryWeight"], shop.status["failedChecks"]) == (25, 0)
    shop.apply(shop.template())
    shop.until_weight(50, 30)


def test_a_template_that_all_may_use_brings_no_credentials(shop: Passing) -> None:
    shared = shop.template(secretRef={"name": "token"})
    shared["metadata"] = {"name": shop.namespace, "namespace": "detour"}
    metric = shop.canary()["spec"]["analysis"]["metrics"][0]
    kubectl("apply", "-f", "-", stdin=json.dumps(shared))
    try:
        shop.specify(analysis={"metrics": [metric | {"templateRef": shared["metadata"]}]})
        shop.set_image("6.0.1")
        shop.waits_saying("has credentials, which are for namespace detour alone; make a template of your own")
    finally:
        kubectl("-n", "detour", "delete", "metrictemplate", shop.namespace)
    shop.specify(analysis={"metrics": [metric]})
    shop.goes_on()


def test_a_secret_without_the_keys_is_named(shop: Passing) -> None:
    allow_secrets(shop)
    shop.apply(secret("creds", {"user": "me"}), shop.template(secretRef={"name": "creds"}))
    shop.set_image("6.0.1")
    shop.waits_saying("the Secret has the keys user; give it a token, or a username and a password")
    shop.apply(secret("creds", {"user": "me", "token": "let-me-in"}))
    shop.goes_on()
