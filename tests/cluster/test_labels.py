"""The canary's labels in a real cluster: no controller and no Service takes its pods for the primary's."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.cluster.kubectl import Object, eventually
from tests.cluster.layout import CANARYS, Layout, endpoints, governed_by, hostname_rule, service
from tests.cluster.namespaces import unique
from tests.cluster.shop import QUICK, opened

Lay = Callable[..., Layout]
CALM = {"interval": "10m", "metrics": []}
NAME, INSTANCE, COMPONENT = (f"app.kubernetes.io/{key}" for key in ("name", "instance", "component"))
HELMS = {
    NAME: "podinfo",
    INSTANCE: "prod",
    COMPONENT: "front",
    "app.kubernetes.io/part-of": "shop",
    "app.kubernetes.io/managed-by": "Helm",
    "app.kubernetes.io/version": "6.0.0",
    "helm.sh/chart": "podinfo-1.2.3",
}
FEW = {"app": "podinfo", "tier": "web", "zone": "a"}
EXPRESSIONS = [
    {"key": "app", "operator": "In", "values": ["podinfo", "podinfo-canary"]},
    {"key": "tier", "operator": "Exists"},
    {"key": "track", "operator": "NotIn", "values": ["beta"]},
]


@pytest.fixture
def lay() -> Iterator[Lay]:
    """Makes shops of a certain layout, with time to look; their namespaces are deleted at the end."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(opened(Layout(unique("labels"), **{"analysis": CALM, **options})))


LAYOUTS: dict[str, Object] = {
    "one label is enough": {},
    "a Service by a part of the labels": {"labels": FEW, "served": {"tier": "web"}},
    "Services that share no label": {
        "labels": FEW,
        "served": {"tier": "web"},
        "beside": (service("by-zone", zone="a"), service("by-app-headless", app="podinfo")),
    },
    "a selector of expressions": {
        "labels": FEW,
        "selector": {"matchExpressions": EXPRESSIONS},
        "served": {"app": "podinfo"},
    },
    "a selector by presence alone": {
        "labels": FEW,
        "selector": {"matchExpressions": EXPRESSIONS[1:2]},
        "served": {"zone": "a"},
    },
    "recommended labels": {
        "labels": HELMS,
        "selector": {"matchLabels": {key: HELMS[key] for key in (NAME, INSTANCE)}},
        "served": {key: HELMS[key] for key in (NAME, INSTANCE)},
        "beside": (service("headless", **{key: HELMS[key] for key in (NAME, INSTANCE, COMPONENT)}),),
    },
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_no_service_and_no_replica_set_takes_the_canarys_pods_for_the_primarys(lay: Lay, layout: Object) -> None:
    shop = lay(**layout)
    with endpoints(shop) as served:
        shop.set_image("6.0.1")
        shop.until_weight(25)
        assert {governed_by(shop, pod) for pod in shop.canarys} == {"podinfo-canary"}
        assert shop.primary["status"]["replicas"] == shop.replicas
    only_the_canarys_service_serves_it(shop, served)


def only_the_canarys_service_serves_it(shop: Layout, served: dict[str, set[str]]) -> None:
    """Of all the Services that there ever were."""
    users = {"podinfo", *(each["metadata"]["name"] for each in shop.beside)}
    assert served.keys() == users | {"podinfo-canary"}
    for name in users:
        assert served[name]
        assert not [pod for pod in served[name] if pod.startswith(CANARYS)], name
    assert served["podinfo-canary"]
    assert all(pod.startswith(CANARYS) for pod in served["podinfo-canary"])


def test_through_a_whole_canary_the_primarys_services_serve_nobody_else(lay: Lay) -> None:
    layout = LAYOUTS["Services that share no label"]
    shop = lay(**layout, analysis=QUICK)
    with endpoints(shop) as served:
        shop.set_image("6.0.1")
        shop.until("Succeeded")
        shop.until_gone()
    only_the_canarys_service_serves_it(shop, served)
    assert len(served["podinfo"]) == 2 * shop.replicas  # the old ones, and the new ones


def test_a_charts_labels_stay_what_the_new_version_says_but_for_one(lay: Lay) -> None:
    shop = lay(**LAYOUTS["recommended labels"])
    new = HELMS | {"app.kubernetes.io/version": "6.0.1", "helm.sh/chart": "podinfo-1.2.4"}
    upgraded = shop.deployment("6.0.1")
    upgraded["spec"]["template"]["metadata"]["labels"] = new
    shop.apply(upgraded)
    shop.until_weight(25)
    labels = shop.canarys[0]["metadata"]["labels"]
    theirs = {key: value for key, value in labels.items() if key in HELMS}
    assert {key for key in new if theirs[key] != new[key]} == {INSTANCE}
    assert labels[INSTANCE] == "prod-canary"


def test_pods_that_want_a_node_each_do_not_keep_the_canary_off_the_only_one(lay: Lay) -> None:
    """Of the two labels that could be rewritten it is the one that the terms are about."""
    labels = {"app": "podinfo", "tier": "web"}
    spread = {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule"}
    alone = {"matchLabels": {"tier": "web"}}
    pod = {"affinity": hostname_rule(alone), "topologySpreadConstraints": [{**spread, "labelSelector": alone}]}
    shop = lay(labels=labels, pod=pod, replicas=1)
    shop.set_image("6.0.1")
    shop.until_weight(25)
    (canarys,) = shop.canarys
    assert canarys["metadata"]["labels"].items() >= {"app": "podinfo", "tier": "web-canary"}.items()
    followed = canarys["spec"]["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"]
    assert followed == {"tier": "web-canary"}


def test_a_canary_goes_where_the_component_is_that_it_has_to_be_near(lay: Lay) -> None:
    labels = {"app": "podinfo", "part": "front"}
    near = {
        "labelSelector": {"matchLabels": {"app": "podinfo", "part": "cache"}},
        "topologyKey": "kubernetes.io/hostname",
    }
    pod = {"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [near]}}}
    cache = Layout("", labels={"app": "podinfo", "part": "cache"}, replicas=1).deployment()
    cache["metadata"]["name"] = "cache"
    shop = lay(labels=labels, served=labels, beside=(cache,))
    shop.pod = pod
    shop.apply(shop.deployment("6.0.1"))
    shop.until_weight(25)
    assert shop.canarys[0]["metadata"]["labels"]["app"] == "podinfo-canary"


def test_a_disruption_budget_counts_the_canary_where_it_can_and_is_named_where_it_cannot(lay: Lay) -> None:
    labels = {"app": "podinfo", "tier": "web"}
    shop = lay(
        labels=labels, served={"app": "podinfo"}, beside=(budget("kept", tier="web"), budget("lost", app="podinfo"))
    )
    shop.set_image("6.0.1")
    shop.until_weight(25)
    canarys = len(shop.canarys)
    eventually(lambda: expected(shop, "kept") == shop.replicas + canarys, "the canary counts", 15)
    assert expected(shop, "lost") == shop.replicas
    told = [text for text in shop.events() if "not applied to the canary's pods" in text]
    assert told
    assert told[0].endswith("PodDisruptionBudget lost")


def test_a_service_that_comes_in_mid_canary_serves_the_primary_alone(lay: Lay) -> None:
    shop = lay(labels=FEW, served={"app": "podinfo"})
    shop.set_image("6.0.1")
    shop.until_weight(25)
    shop.apply(service("late", tier="web"))
    eventually(lambda: serving(shop, "late") == serving(shop, "podinfo"), "it serves the primary alone", 30)


def serving(shop: Layout, name: str) -> set[str]:
    """The pods that a Service sends requests to now."""
    slices = shop.get("endpointslices", "-l", f"kubernetes.io/service-name={name}")["items"]
    return {each["targetRef"]["name"] for found in slices for each in found["endpoints"] or ()}


def budget(name: str, **labels: str) -> Object:
    """A PodDisruptionBudget. Only one in percent asks for whole Deployments, and counts what they want."""
    spec = {"selector": {"matchLabels": labels}, "maxUnavailable": "50%"}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name}, "spec": spec}


def expected(shop: Layout, name: str) -> int:
    """How many pods a PodDisruptionBudget counts on."""
    return int(shop.get("poddisruptionbudget", name).get("status", {}).get("expectedPods", 0))
