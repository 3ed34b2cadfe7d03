"""How many pods have to be ready before it goes on: of the primary, and of its canary."""

import time

import pytest

from tests.cluster.kubectl import eventually
from tests.cluster.shop import CALM, OpenShop, Shop


def one_fails_its_probes(shop: Shop, selector: str) -> None:
    """By podinfo's own switch."""
    pod = shop.get("pods", "-l", selector)["items"][0]["metadata"]["name"]
    path = f"/api/v1/namespaces/{shop.namespace}/pods/{pod}:9898/proxy/readyz/disable"
    shop("create", "--raw", path, "-f", "-", stdin="{}")


def available(shop: Shop, name: str) -> int:
    return int(shop.get("deployment", name)["status"].get("availableReplicas", 0))


def test_a_rollout_waits_for_as_many_of_the_primarys_pods_as_its_threshold_says(open_shop: OpenShop) -> None:
    shop = open_shop(analysis=CALM, replicas=2)
    one_fails_its_probes(shop, "app=podinfo")
    eventually(lambda: available(shop, "podinfo") == 1, "one of two is there", 30)
    shop.set_image("6.0.1")
    shop.says("waiting for rollout to finish: 1 of 2 (readyThreshold 100%) updated replicas are available")
    assert not shop.exists("deployment", "podinfo-canary")
    shop.specify(analysis={"primaryReadyThreshold": 50})
    shop.until_weight(25)


@pytest.mark.parametrize(("threshold", "weight"), [(50, 100), (100, 50)])
def test_a_canary_needs_as_many_of_its_pods_as_its_threshold_says(
    open_shop: OpenShop, threshold: int, weight: int
) -> None:
    analysis = {**CALM, "interval": "6s", "stepWeight": 50, "maxWeight": 100, "canaryReadyThreshold": threshold}
    shop = open_shop(analysis=analysis, replicas=2)
    shop.set_image("6.0.1")
    shop.until_weight(50)
    eventually(lambda: available(shop, "podinfo-canary") == 2, "the replicas for the next step", 60)
    one_fails_its_probes(shop, "detour.dev/canary-of=podinfo")
    if weight == 100:
        shop.until_weight(100)
    else:
        shop.says("canary deployment podinfo-canary")
        reached = shop.status["canaryWeight"]
        time.sleep(8)  # more than an interval
        assert (shop.status["canaryWeight"], shop.live_image) == (reached, "6.0.0")
