"""Where no route is split: the canary's pods join the Service of the primary, as many as its share asks for."""

from collections import Counter

from tests.cluster.kubectl import Object, eventually
from tests.cluster.shop import OpenShop, Shop
from tests.cluster.users import Users, plainly

NO_ROUTES: Object = {"provider": "kubernetes"}
QUARTER: Object = {"interval": "10m", "replicaRatio": True, "stepWeight": 25, "metrics": []}


def in_the_service(shop: Shop) -> set[str]:
    """The pods that the Service has as endpoints now."""
    slices = shop.get("endpointslices", "-l", "kubernetes.io/service-name=podinfo")["items"]
    endpoints = [endpoint for each in slices for endpoint in each.get("endpoints") or ()]
    return {endpoint["targetRef"]["name"] for endpoint in endpoints if endpoint["conditions"].get("ready")}


def answers(shop: Shop, times: int = 400) -> Counter[str]:
    """Who answers: one connection for each request, so that the Service chooses anew."""
    pool, found = plainly(), Counter[str]()
    for _ in range(times):
        said = pool.request("GET", "/version", headers={"Host": shop.host, "Connection": "close"}, retries=False)
        found[said.json()["version"] if said.status == 200 else str(said.status)] += 1
    return found


def test_as_many_pods_join_as_the_share_asks_for_and_leave_before_they_go(open_shop: OpenShop) -> None:
    shop = open_shop(replicas=3, spec=NO_ROUTES, analysis=QUARTER)
    with Users(shop.host) as users:
        shop.set_image("6.0.1")
        shop.until_weight(25)
        eventually(lambda: len(in_the_service(shop)) == 4, "four pods in the Service", 20, lambda: in_the_service(shop))
        share = answers(shop)
        assert share.keys() == {"6.0.0", "6.0.1"}
        assert 0.15 < share["6.0.1"] / share.total() < 0.35
        shop.specify(analysis={"interval": "1s"})
        shop.until("Succeeded")
    shop.until_gone()
    assert users.failed == []
    assert shop.live_image == "6.0.1"
    assert len(in_the_service(shop)) == 3


def test_a_canary_without_its_canary_object_is_out_of_the_service_first(open_shop: OpenShop) -> None:
    shop = open_shop(replicas=3, spec=NO_ROUTES, analysis=QUARTER)
    with Users(shop.host) as users:
        shop.set_image("6.0.1")
        eventually(lambda: len(in_the_service(shop)) == 4, "four pods in the Service", 60, lambda: in_the_service(shop))
        shop("delete", "canary/podinfo")
        shop.until_gone()
    assert users.failed == []
    assert users.answered["6.0.1"] > 0
    assert shop.live_image == "6.0.0"
