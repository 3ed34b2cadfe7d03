"""Who scales the primary scales it as always; the canary has as many pods as its weight asks for."""

from tests.cluster.audit import listening
from tests.cluster.kubectl import eventually
from tests.cluster.shop import OpenShop, Shop


def replicas(shop: Shop) -> tuple[int, int]:
    """Of the primary and of its canary."""
    found = {one["metadata"]["name"]: one["spec"]["replicas"] for one in shop.get("deployments")["items"]}
    return found["podinfo"], found.get("podinfo-canary", 0)


def test_whoever_scales_during_a_canary_scales_the_primary_and_the_canary_follows_its_weight(
    open_shop: OpenShop,
) -> None:
    shop = open_shop(replicas=1, analysis={"interval": "5m", "stepWeight": 40})
    manifest = shop.deployment("6.0.1")
    manifest["spec"]["replicas"] = 2
    shop.apply(manifest)
    shop.until_weight(40, 120)
    assert replicas(shop) == (2, 1)
    shop("scale", "deployment/podinfo", "--replicas=3")
    eventually(lambda: replicas(shop) == (3, 2), "2 canary pods at 40 % of 3", 60, lambda: replicas(shop))
    with listening(shop.namespace, "kube-controller-manager") as heard:
        shop("autoscale", "deployment/podinfo", "--min=6", "--max=8")  # it needs no metrics to go up to its least
        eventually(lambda: replicas(shop) == (6, 3), "3 canary pods at 40 % of 6", 60, lambda: replicas(shop))
    assert [write.calls for write in heard.writes if write.resource == "deployments/scale"] == [0]
    assert shop.live_image == "6.0.0"
    assert (shop.phase, shop.status["canaryWeight"]) == ("Progressing", 40)
