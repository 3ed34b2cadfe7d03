"""What a canary consists of in the cluster, and what of the user's is left as it is."""

from tests.cluster.kubectl import eventually
from tests.cluster.shop import OpenShop, Shop
from webhook import stash

USERS = (("ingress", "podinfo"), ("service", "podinfo"))


def versions(shop: Shop) -> list[str]:
    return [shop.get(kind, name)["metadata"]["resourceVersion"] for kind, name in USERS]


def test_the_canary_has_a_deployment_a_service_and_an_ingress_of_its_own(open_shop: OpenShop) -> None:
    shop = open_shop(analysis={"interval": "30s"})
    before = versions(shop)
    shop.set_image("6.0.1")
    shop.until_weight(25)
    owner = shop.primary["metadata"]["uid"]
    for kind in ("deployment", "service", "ingress"):
        metadata = shop.get(kind, "podinfo-canary")["metadata"]
        assert metadata["labels"][stash.CANARY_OF] == "podinfo"
        assert [reference["uid"] for reference in metadata["ownerReferences"]] == [owner]
    annotations = shop.get("ingress", "podinfo-canary")["metadata"]["annotations"]
    assert annotations["nginx.ingress.kubernetes.io/canary-weight"] == "25"
    assert versions(shop) == before


def test_no_service_of_the_users_selects_the_canarys_pods(open_shop: OpenShop) -> None:
    shop = open_shop(analysis={"interval": "30s"})
    shop.set_image("6.0.1")
    shop.until_weight(25)
    pods = shop.get("pods", "-l", stash.CANARY_OF)["items"]
    addresses = {pod["status"]["podIP"] for pod in pods}
    served = {
        endpoint["addresses"][0]
        for listed in shop.get("endpointslices", "-l", "kubernetes.io/service-name=podinfo")["items"]
        for endpoint in listed["endpoints"] or ()
    }
    assert addresses
    assert not addresses & served
    assert all(pod["metadata"]["labels"]["app"] == "podinfo-canary" for pod in pods)


def test_a_route_that_was_edited_by_hand_is_put_right(open_shop: OpenShop) -> None:
    shop = open_shop(analysis={"interval": "30s"})
    shop.set_image("6.0.1")
    shop.until_weight(25)
    weight = "nginx.ingress.kubernetes.io/canary-weight"
    shop("annotate", "ingress/podinfo-canary", f"{weight}=90", "--overwrite")
    shop(
        "wait",
        "ingress/podinfo-canary",
        f"--for=jsonpath={{.metadata.annotations.{weight.replace('.', chr(92) + '.')}}}=25",
    )


def test_an_object_that_has_the_canarys_name_and_is_not_ours_is_never_touched(open_shop: OpenShop) -> None:
    shop = open_shop()
    shop("create", "service", "clusterip", "podinfo-canary", "--tcp=80")
    before = shop.get("service", "podinfo-canary")["metadata"]["resourceVersion"]
    shop.set_image("6.0.1")
    shop("wait", "canary/podinfo", "--for=jsonpath={.status.phase}=Progressing", "--timeout=30s")
    shop("wait", "canary/podinfo", "--for=jsonpath={.status.message}", "--timeout=30s")
    assert "Service podinfo-canary is not Detour's" in shop.status["message"]
    assert shop.get("service", "podinfo-canary")["metadata"]["resourceVersion"] == before
    shop("delete", "service", "podinfo-canary")
    shop.until("Succeeded")


def test_a_deleted_canary_object_ends_the_rollout_and_leaves_nothing_behind(open_shop: OpenShop) -> None:
    shop = open_shop(analysis={"interval": "30s"})
    shop.set_image("6.0.1")
    shop.until_weight(25)
    shop("delete", "canary", "podinfo")
    shop.until_gone()
    assert shop.live_image == "6.0.0"
    eventually(lambda: stash.POLICY not in shop.primary["metadata"]["labels"], "the Deployment is let go", 10)


def test_a_service_that_the_canary_asks_for_is_made_and_one_that_is_there_is_never_changed(open_shop: OpenShop) -> None:
    shop = open_shop(spec={"service": {"port": 9898, "name": "made", "portName": "http", "targetPort": "http"}})
    made = shop.get("service", "made")
    assert made["spec"]["selector"] == {"app": "podinfo"}
    assert made["metadata"]["ownerReferences"][0]["kind"] == "Canary"
    before = shop.get("service", "podinfo")["metadata"]["resourceVersion"]
    shop("delete", "service", "made")
    shop("wait", "service/made", "--for=create", "--timeout=20s")
    assert shop.get("service", "podinfo")["metadata"]["resourceVersion"] == before


def test_a_second_deployment_behind_the_service_is_named_and_it_goes_on_once_that_is_gone(open_shop: OpenShop) -> None:
    shop = open_shop(analysis={"interval": "2s", "metrics": []})
    second = shop.deployment("6.0.0")
    second["metadata"]["name"] = "second"
    second["spec"]["selector"]["matchLabels"] |= {"of": "second"}
    second["spec"]["template"]["metadata"]["labels"] |= {"of": "second"}
    shop.apply(second)
    shop.set_image("6.0.1")
    said = "Service podinfo selects the pods of Deployment second, too"
    eventually(lambda: said in shop.status.get("message", ""), "it is said", 30, lambda: shop.status)
    assert not shop.exists("deployment", "podinfo-canary")
    shop("delete", "deployment", "second")
    shop.until("Succeeded")
