"""What a user gets wrong, or has not made yet: it is said by the field and with the remedy, where he looks.

Meanwhile the primary serves on and the update stays diverted; once it is mended, the canary goes on by itself. What can
be refused where it is written is in tests/manifests/test_refusals.py.
"""

from collections.abc import Iterator

import pytest

from tests.cluster.complaints import Passing, passing
from tests.cluster.kubectl import Object, eventually
from tests.cluster.shop import OpenShop

INGRESS = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress"}
MESH = [{"sourceLabels": {"app": "checkout"}}]
UNUSABLE: tuple[tuple[Object, Object, str], ...] = (
    ({"targetRef": {"kind": "DaemonSet"}}, {"targetRef": {"kind": "Deployment"}}, "cannot be a target; name a Dep"),
    ({"provider": "istio"}, {"provider": None}, "this version of Detour does not split traffic by istio"),
    ({"analysis": {"match": MESH}}, {"analysis": {"match": None}}, "only a service mesh knows which pod a request is"),
)
"""What is wrong in a Canary, what mends it, and what is said."""


@pytest.fixture(name="shop")
def _shop() -> Iterator[Passing]:
    with passing() as found:
        yield found


def test_a_canary_that_cannot_be_carried_out_says_which_field_before_and_after_an_update(shop: Passing) -> None:
    mended: Object = {}
    for wrong, mends, said in UNUSABLE:
        shop.specify(**mended | wrong)
        shop.says(said)
        mended = mends
    shop.set_image("6.0.1")
    for wrong, mends, said in UNUSABLE:
        shop.specify(**mended | wrong)
        shop.waits_saying(said)
        mended = mends
    shop.specify(**mended)
    shop.goes_on()


def test_routes_are_waited_for_and_it_says_what_they_lack(shop: Passing) -> None:
    shop("delete", "ingress/podinfo", "service/podinfo")
    shop.set_image("6.0.1")
    no_service = "no Service selects the pods of Deployment podinfo: create one, or name its port in spec.service"
    shop.waits_saying(no_service)
    shop.apply(shop.service())
    shop.waits_saying("no Ingress sends requests to Service podinfo: create one with it as a backend")
    backend = {"service": {"name": "podinfo", "port": {"number": 9898}}}
    shop.apply(shop.ingress() | {"spec": {"defaultBackend": backend}})
    no_rule = "by its default backend alone, which canary annotations cannot split: add a rule with the path /"
    shop.waits_saying(no_rule)
    shop.apply(shop.ingress())
    shop.goes_on()


def test_an_ingress_that_is_named_is_there_and_leads_to_the_service(shop: Passing) -> None:
    elsewhere = shop.ingress()
    elsewhere["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["name"] = "other"
    shop.specify(ingressRef={**INGRESS, "name": "web"})
    shop.set_image("6.0.1")
    shop.waits_saying("Ingress web does not exist: create it, or correct spec.ingressRef.name")
    shop.apply(elsewhere)
    shop.specify(ingressRef={**INGRESS, "name": "podinfo"})
    no_backend = "Ingress podinfo has no backend that is Service podinfo: give it one, or correct spec.ingressRef"
    shop.waits_saying(no_backend)
    shop.apply(shop.ingress())
    shop.goes_on()


def test_a_target_that_does_not_exist_is_named_and_guarded_as_soon_as_it_does(shop: Passing) -> None:
    shop("delete", "deployment", "podinfo", "--wait")
    said = "Deployment podinfo does not exist: create it, or correct spec.targetRef.name"
    shop.says(said)
    shop.tells(said, "Canary")
    shop.apply(shop.deployment())
    shop("wait", "canary/podinfo", "--for=condition=guarded", "--timeout=30s")
    shop("rollout", "status", "deployment/podinfo", "--timeout=60s")
    shop.set_image("6.0.1")
    shop.goes_on()


def test_of_two_canaries_for_one_deployment_the_younger_is_told_to_go(shop: Passing) -> None:
    second = shop.canary()
    second["metadata"]["name"] = "second"
    shop.apply(second)
    problem = "Canary podinfo has this target, too, and is older: delete one of the two"
    eventually(lambda: problem in str(shop.get("canary", "second").get("status")), "the younger is told", 15)
    shop.set_image("6.0.1")
    shop.goes_on()


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
