"""What a user gets wrong, or has not made yet: it is said by the field and with the remedy, where he looks.

Meanwhile the primary serves on and the update stays diverted; once it is mended, the canary goes on by itself. What can
be refused where it is written is in tests/manifests/test_refusals.py.
"""

import json
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.cluster.kubectl import Object, eventually, kubectl
from tests.cluster.shop import PROMETHEUS, OpenShop, Shop, tag_of
from tests.cluster.test_metrics import allow_secrets, secret

INGRESS = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress"}


@pytest.fixture(name="shop")
def _shop(open_shop: OpenShop) -> Iterator[Shop]:
    """One whose checks pass without any traffic, which need not be drained at the end."""
    found = open_shop()
    found.apply(template(found))
    yield found
    with suppress(AssertionError):
        found("delete", "deployment", "podinfo", "--wait=false")


def template(shop: Shop, query: str = "vector(100)", **provider: object) -> Object:
    found = shop.template()
    found["spec"] = {"query": query, "provider": {"type": "prometheus", "address": PROMETHEUS, **provider}}
    return found


def patched(shop: Shop, **spec: object) -> None:
    """The Canary with other fields in its spec; None takes one away."""
    shop("patch", "canary/podinfo", "--type=merge", "-p", json.dumps({"spec": spec}))


def waits_saying(shop: Shop, said: str) -> None:
    """The conditions say it, events on Canary and Deployment do, and nobody's requests have met the new version."""
    eventually(lambda: said in message(shop), f"it says {said!r}", 60, lambda: shop.status)
    eventually(lambda: told(shop, said), "an event on the Canary says so", 15)
    eventually(lambda: told(shop, said, "Deployment"), "an event on the Deployment says so", 15)
    assert (shop.live_image, tag_of(shop.waiting)) == ("6.0.0", "6.0.1")
    assert (shop.status.get("canaryWeight", 0), shop.status.get("failedChecks", 0)) == (0, 0)


def told(shop: Shop, said: str, kind: str = "Canary") -> bool:
    return any(said in text for text in shop.events(kind))


def message(shop: Shop) -> str:
    """Of the condition that users wait for."""
    conditions = {condition["type"]: condition for condition in shop.status.get("conditions", ())}
    return str(conditions["Promoted"]["message"]) if conditions else ""


def goes_on(shop: Shop) -> None:
    """To the first step: what comes then is what happens to every canary."""
    shop.until_weight(25, 30)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"address": "http://nowhere.monitoring:9090"}, "nowhere.monitoring:9090: Name or service not known; check"),
        ({"address": "http://prometheus.monitoring:9"}, "Connection refused; check spec.provider.address"),
        ({"address": f"{PROMETHEUS}/nope"}, "/nope answers 404; check spec.provider.address"),
        ({"address": "http://kubernetes.default:443"}, "check spec.provider.address"),
        ({"address": f"{PROMETHEUS}?x=y"}, "it ends in a query or a fragment; leave only host, port and path"),
        ({"type": "datadog"}, "'datadog' is no provider that this version of Detour has; use prometheus"),
        ({"query": "sum(rate(up[1m])"}, "parse error: unclosed left parenthesis; correct spec.query"),
        ({"query": "up[1m]"}, "spec.query yields a matrix; make it an instant vector"),
        ({"query": '"hello"'}, "spec.query yields a string; make it an instant vector"),
        (
            {"query": "vector({{ foo }})"},
            "{{ foo }} in spec.query of MetricTemplate success-rate: there is no such value",
        ),
        (
            {"query": "vector({{ variables.x }})"},
            "variables.x in spec.query of MetricTemplate success-rate: the metric",
        ),
    ],
)
def test_a_metric_that_cannot_be_measured_is_known_before_there_is_traffic(
    shop: Shop, wrong: dict[str, str], said: str
) -> None:
    shop.apply(template(shop, **wrong))
    shop.set_image("6.0.1")
    waits_saying(shop, said)
    shop.apply(template(shop))
    goes_on(shop)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("nobody_has_this_total", "success-rate: the query yields nothing"),
        ("vector(0) / vector(0)", "success-rate: the query yields NaN, which 0/0 is: probably no requests"),
    ],
)
def test_a_metric_without_data_keeps_the_canary_at_its_first_step(shop: Shop, query: str, said: str) -> None:
    shop.apply(template(shop, query))
    shop.set_image("6.0.1")
    shop.until_weight(25)
    eventually(lambda: said in message(shop), "it is said", 30, lambda: shop.status)
    eventually(lambda: told(shop, said, "Deployment"), "an event says so", 15)
    assert (shop.status["canaryWeight"], shop.status["failedChecks"]) == (25, 0)
    shop.apply(template(shop))
    shop.until_weight(50, 30)


def test_a_template_that_all_may_use_brings_no_credentials(shop: Shop) -> None:
    shared = template(shop, secretRef={"name": "token"})
    shared["metadata"] = {"name": shop.namespace, "namespace": "detour"}
    metric = shop.canary()["spec"]["analysis"]["metrics"][0]
    kubectl("apply", "-f", "-", stdin=json.dumps(shared))
    try:
        patched(shop, analysis={"metrics": [metric | {"templateRef": shared["metadata"]}]})
        shop.set_image("6.0.1")
        waits_saying(shop, "has credentials, which are for namespace detour alone; make a template of your own")
    finally:
        kubectl("-n", "detour", "delete", "metrictemplate", shop.namespace)
    patched(shop, analysis={"metrics": [metric]})
    goes_on(shop)


def test_a_secret_without_the_keys_is_named(shop: Shop) -> None:
    allow_secrets(shop)
    shop.apply(secret("creds", {"user": "me"}), template(shop, secretRef={"name": "creds"}))
    shop.set_image("6.0.1")
    waits_saying(shop, "the Secret has the keys user; give it a token, or a username and a password")
    shop.apply(secret("creds", {"user": "me", "token": "let-me-in"}))
    goes_on(shop)


@pytest.mark.parametrize(
    ("wrong", "mended", "said"),
    [
        ({"targetRef": {"kind": "DaemonSet"}}, {"targetRef": {"kind": "Deployment"}}, "cannot be a target; name a Dep"),
        (
            {"provider": "istio"},
            {"provider": None},
            "spec.provider: this version of Detour does not split traffic by istio",
        ),
        (
            {"analysis": {"mirror": True}},
            {"analysis": {"mirror": None}},
            "spec.analysis.mirror: this version of Detour",
        ),
        (
            {"ingressRef": {**INGRESS, "name": "web"}},
            {"ingressRef": None},
            "Ingress web does not exist: create it, or correct spec.ingressRef.name",
        ),
        (
            {"autoscalerRef": {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "name": "podinfo"}},
            {"autoscalerRef": None},
            "spec.autoscalerRef: it is not needed; take it out",
        ),
    ],
)
def test_a_canary_that_cannot_be_carried_out_says_which_field(
    shop: Shop, wrong: dict[str, object], mended: dict[str, object], said: str
) -> None:
    patched(shop, **wrong)
    if "ingressRef" not in wrong:
        eventually(lambda: said in message(shop), "it is said before any update comes", 15, lambda: shop.status)
    shop.set_image("6.0.1")
    waits_saying(shop, said)
    patched(shop, **mended)
    goes_on(shop)


def test_a_missing_ingress_is_waited_for(shop: Shop) -> None:
    shop("delete", "ingress", "podinfo")
    shop.set_image("6.0.1")
    waits_saying(shop, "no Ingress sends requests to Service podinfo: create one with it as a backend")
    shop.apply(shop.ingress())
    goes_on(shop)


def test_an_ingress_without_the_service_is_named(shop: Shop) -> None:
    elsewhere = shop.ingress()
    elsewhere["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["name"] = "other"
    shop.apply(elsewhere)
    patched(shop, ingressRef={**INGRESS, "name": "podinfo"})
    shop.set_image("6.0.1")
    waits_saying(
        shop, "Ingress podinfo has no backend that is Service podinfo: give it one, or correct spec.ingressRef"
    )
    shop.apply(shop.ingress())
    goes_on(shop)


def test_an_ingress_whose_only_way_is_a_default_backend_is_named(shop: Shop) -> None:
    shop("delete", "ingress", "podinfo")
    backend = {"service": {"name": "podinfo", "port": {"number": 9898}}}
    shop.apply(shop.ingress() | {"spec": {"defaultBackend": backend}})
    shop.set_image("6.0.1")
    waits_saying(
        shop, "by its default backend alone, which canary annotations cannot split: add a rule with the path /"
    )
    shop.apply(shop.ingress())
    goes_on(shop)


def test_a_missing_service_is_waited_for(shop: Shop) -> None:
    shop("delete", "service", "podinfo")
    shop.set_image("6.0.1")
    waits_saying(
        shop, "no Service selects the pods of Deployment podinfo: create one, or name its port in spec.service"
    )
    shop.apply(shop.service())
    goes_on(shop)


def test_a_target_that_does_not_exist_is_named_and_guarded_as_soon_as_it_does(shop: Shop) -> None:
    shop("delete", "deployment", "podinfo", "--wait")
    said = "Deployment podinfo does not exist: create it, or correct spec.targetRef.name"
    eventually(lambda: said in message(shop), "it is said", 15, lambda: shop.status)
    eventually(lambda: told(shop, said), "an event says so", 15)
    shop.apply(shop.deployment())
    shop("wait", "canary/podinfo", "--for=condition=guarded", "--timeout=30s")
    shop("rollout", "status", "deployment/podinfo", "--timeout=60s")
    shop.set_image("6.0.1")
    goes_on(shop)


def test_of_two_canaries_for_one_deployment_the_younger_is_told_to_go(shop: Shop) -> None:
    second = shop.canary()
    second["metadata"]["name"] = "second"
    shop.apply(second)
    problem = "Canary podinfo has this target, too, and is older: delete one of the two"
    eventually(lambda: problem in str(shop.get("canary", "second").get("status")), "the younger is told", 15)
    shop.set_image("6.0.1")
    goes_on(shop)


def test_a_canary_for_a_canary_is_told_which_deployment_to_name(open_shop: OpenShop) -> None:
    shop = open_shop(analysis={"interval": "30s"})
    shop.set_image("6.0.1")
    shop.until_weight(25)
    second = shop.canary()
    second["metadata"]["name"] = "second"
    second["spec"]["targetRef"]["name"] = "podinfo-canary"
    shop.apply(second)
    problem = "Deployment podinfo-canary is a canary itself: put its primary into spec.targetRef.name"
    eventually(lambda: problem in str(shop.get("canary", "second").get("status")), "it is told", 15)
    assert "detour.dev/policy" not in shop.get("deployment", "podinfo-canary")["metadata"]["labels"]


def test_a_canary_need_not_be_called_like_its_target_and_names_may_be_as_long_as_kubernetes_has_them(
    open_shop: OpenShop,
) -> None:
    shop = open_shop()
    canary, deployment, name = shop.canary(), shop.deployment(), "d" * 253
    canary["metadata"]["name"], canary["spec"]["targetRef"]["name"] = "c" * 253, name
    deployment["metadata"]["name"] = name
    shop("delete", "canary/podinfo", "deployment/podinfo", "--wait")
    shop.apply(deployment, canary)
    shop("wait", f"canary/{'c' * 253}", "--for=condition=guarded", "--timeout=60s")
    shop("rollout", "status", f"deployment/{name}", "--timeout=60s")
    assert shop("set", "image", f"deployment/{name}", "podinfo=ghcr.io/stefanprodan/podinfo:6.0.1").warnings
    found = eventually(
        lambda: shop.get("canary", "c" * 253).get("status", {}).get("canaryWeight"), "a first step", 60, shop.leftovers
    )
    assert found == 25
    shop("delete", "deployment", name, "--wait=false")
