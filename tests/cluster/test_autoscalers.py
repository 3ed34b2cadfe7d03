"""A primary that has an autoscaler: what becomes of its replicas and its traffic, and the copy that a canary gets.

Here the autoscaler has no metrics, and the tests do what it would do; `make scenarios` has one that measures.
"""

from tests.cluster import keda
from tests.cluster.kubectl import Object, eventually, exists
from tests.cluster.person import Person
from tests.cluster.shop import CALM, OpenShop, Shop

HALF = {**CALM, "interval": "4s", "stepWeight": 50}
LONG = {**CALM, "interval": "10m", "stepWeight": 50}
REFERENCE = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "name": "podinfo"}


def autoscaler(target: str = "podinfo", least: int = 1) -> Object:
    """One that wants to scale by CPU, of which no pod here requests any: it stays as it is."""
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "podinfo"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": target},
            "minReplicas": least,
            "maxReplicas": 7,
            "metrics": [{"type": "Resource", "resource": cpu}],
        },
    }


def scale(shop: Shop, replicas: int) -> None:
    """As an autoscaler does it."""
    shop("scale", "deployment/podinfo", f"--replicas={replicas}")


def replicas(shop: Shop, name: str = "podinfo") -> int:
    return int(shop.get("deployment", name)["spec"]["replicas"])


def serving(shop: Shop, name: str = "podinfo") -> int:
    return int(shop.get("deployment", name)["status"].get("availableReplicas", 0))


def test_a_promoted_primary_has_its_replicas_before_it_gets_its_traffic_back(open_shop: OpenShop) -> None:
    shop = open_shop(analysis=HALF, replicas=2)
    shop.apply(autoscaler())
    shop.set_image("6.0.1")
    shop.until_weight(50)
    scale(shop, 1)
    assert replicas(shop, "podinfo-canary") == 1
    shop.until("Finalising")
    shop.tells("Returning the traffic of podinfo")
    eventually(lambda: shop.status["canaryWeight"] == 33, "the next share", 30, lambda: shop.status)
    assert serving(shop) == 2
    shop.tells("primary weight 67", "Canary")
    assert shop.phase == "Finalising"


def test_a_canary_that_is_aborted_gives_all_back_at_once_with_the_replicas_that_were_there(open_shop: OpenShop) -> None:
    shop = open_shop(analysis=LONG, replicas=3)
    shop.apply(autoscaler())
    shop.set_image("6.0.1")
    shop.until_weight(50)
    scale(shop, 1)
    assert Person(shop)("abort", "podinfo").code == 0
    shop.until("Failed")
    assert replicas(shop) == 3


def test_a_primary_that_people_scale_gets_everything_back_at_once(open_shop: OpenShop) -> None:
    shop = open_shop(analysis=HALF, replicas=3)
    shop.set_image("6.0.1")
    shop.until_weight(50)
    scale(shop, 1)
    shop.until("Succeeded", 60)
    assert replicas(shop) == 1


def test_a_canary_gets_a_copy_of_the_autoscaler_that_is_named(open_shop: OpenShop) -> None:
    shop = open_shop(analysis=LONG, replicas=4, spec={"autoscalerRef": REFERENCE})
    shop.set_image("6.0.1")
    shop.says("HorizontalPodAutoscaler podinfo does not exist: create it")
    assert not exists("-n", shop.namespace, "deployment", "podinfo-canary")
    mine = autoscaler(least=3)
    shop.apply(mine)
    shop("annotate", "canary/podinfo", "look=again")  # nobody follows autoscalers
    shop.until_weight(50)
    copied = shop.get("hpa", "podinfo-canary")["spec"]
    assert copied["scaleTargetRef"]["name"] == "podinfo-canary"
    assert (copied["minReplicas"], copied["maxReplicas"], copied["metrics"]) == (2, 7, mine["spec"]["metrics"])
    assert shop.get("hpa", "podinfo")["spec"] == mine["spec"], "the user's own is as it was"
    shop("scale", "deployment/podinfo-canary", "--replicas=3")  # as its autoscaler does it
    shop("delete", "hpa", "podinfo-canary")
    shop("annotate", "canary/podinfo", "again=look")
    eventually(lambda: exists("-n", shop.namespace, "hpa", "podinfo-canary"), "it is there again", 30)
    assert replicas(shop, "podinfo-canary") == 3
    assert Person(shop)("abort", "podinfo").code == 0
    shop.until("Failed")
    eventually(lambda: not exists("-n", shop.namespace, "hpa", "podinfo-canary"), "it goes with the canary", 60)


def test_an_autoscaler_that_is_somebody_elses_is_never_touched(open_shop: OpenShop) -> None:
    shop = open_shop(analysis=LONG, spec={"autoscalerRef": REFERENCE})
    theirs = autoscaler("other", least=4)
    theirs["metadata"]["name"] = "podinfo-canary"
    shop.apply(autoscaler(), theirs)
    shop.set_image("6.0.1")
    shop.says("HorizontalPodAutoscaler podinfo-canary is not Detour's")
    assert shop.get("hpa", "podinfo-canary")["spec"] == theirs["spec"]
    assert not exists("-n", shop.namespace, "deployment", "podinfo-canary")


def test_an_old_version_of_the_reference_is_read_as_the_present_one_with_a_warning(open_shop: OpenShop) -> None:
    shop = open_shop(analysis=LONG)
    shop.apply(autoscaler())
    bounds = {"primaryScalerReplicas": {"minReplicas": 2, "maxReplicas": 3}}
    shop.specify(autoscalerRef={**REFERENCE, "apiVersion": "autoscaling/v2beta2", **bounds})
    shop.tells("autoscaling/v2beta2 is read as autoscaling/v2", "Canary")
    shop.tells("primaryScalerReplicas has no effect", "Canary")
    shop.set_image("6.0.1")
    shop.until_weight(50)
    assert shop.get("hpa", "podinfo-canary")["apiVersion"] == "autoscaling/v2"


def test_a_canary_gets_a_copy_of_a_scaled_object_whose_queries_mean_the_canary(open_shop: OpenShop) -> None:
    keda.define()
    reference = {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "name": "podinfo"}
    shop = open_shop(analysis=LONG, replicas=4, spec={"autoscalerRef": reference})
    query = 'sum(rate(http_requests_total{app="podinfo",pod=~"podinfo-.*"}[1m]))'
    trigger = {"type": "prometheus", "metadata": {"serverAddress": "http://prom", "query": query, "threshold": "5"}}
    spec = {"scaleTargetRef": {"name": "podinfo"}, "maxReplicaCount": 9, "idleReplicaCount": 0, "triggers": [trigger]}
    scaled = {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": "podinfo"}}
    shop.apply({**scaled, "spec": {**spec, "minReplicaCount": 1}})
    shop.set_image("6.0.1")
    shop.until_weight(50)
    copied = shop.get("scaledobjects", "podinfo-canary")["spec"]
    assert (copied["minReplicaCount"], copied["maxReplicaCount"]) == (2, 9)
    assert copied["scaleTargetRef"] == {"name": "podinfo-canary"}
    assert 'app="podinfo-canary",pod=~"podinfo-canary-.*"' in copied["triggers"][0]["metadata"]["query"]
    assert "idleReplicaCount" not in copied
