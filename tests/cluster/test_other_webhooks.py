"""Other mutating webhooks, called before ours or after it: what they make of a template belongs to what waits.

Nothing loops, no analysis starts twice, and the same manifest again is nothing new.
"""

import hashlib
from copy import deepcopy

import pytest

from tests.cluster.kubectl import Object, eventually
from tests.cluster.mutator import FIRST, LAST, USUAL, Change, mutating
from tests.cluster.podless import podless, stored
from tests.cluster.shop import IMAGE, QUICK, OpenShop, Shop, tag_of
from webhook.revision import digest


def adds_a_label(thing: Object) -> None:
    thing["metadata"].setdefault("labels", {})["team"] = "shop"


def pins_digests(template: Object) -> None:
    for container in template["spec"]["containers"]:
        name, _, pinned = container["image"].partition("@")
        if not pinned:
            container["image"] = f"{name}@sha256:{hashlib.sha256(name.encode()).hexdigest()}"


def rewrites_the_registry(template: Object) -> None:
    for container in template["spec"]["containers"]:
        container["image"] = container["image"].replace("ghcr.io/", "docker.io/")


def made_of(template: Object, tag: str, change: Change) -> Object:
    """The template that a webhook makes of this version."""
    found = deepcopy(template)
    found["spec"]["containers"][0]["image"] = f"{IMAGE}:{tag}"
    change(found)
    return found


@pytest.mark.parametrize("policy", ["Never", "IfNeeded"])
@pytest.mark.parametrize("change", [adds_a_label, pins_digests])
@pytest.mark.parametrize("order", [FIRST, USUAL])
def test_what_another_webhook_makes_of_a_template_waits_with_it_and_repetitions_write_nothing(
    order: str, change: Change, policy: str
) -> None:
    with podless() as shop, mutating(shop.namespace, change, order, policy) as called:
        shop.create()
        primary = shop.primary["spec"]["template"]
        shop.apply(shop.deployment("6.0.1"))
        before = stored(shop)
        assert shop.primary["spec"]["template"] == primary
        assert shop.waiting == made_of(primary, "6.0.1", change)
        shop.apply(shop.deployment("6.0.1"))
        assert stored(shop) == before
        shop.apply(shop.deployment("6.0.0"))
        assert shop.waiting is None
        assert shop.primary["spec"]["template"] == primary
        assert len(called) <= 2 * 4  # twice for each of four commands


@pytest.mark.parametrize("policy", ["Never", "IfNeeded"])
@pytest.mark.parametrize("order", [FIRST, USUAL])
def test_a_webhook_that_is_new_in_the_cluster_changes_no_primary_past_its_canary(order: str, policy: str) -> None:
    with podless() as shop:
        shop.create()
        primary = shop.primary["spec"]["template"]
        with mutating(shop.namespace, adds_a_label, order, policy):
            shop("label", "deployment/podinfo", "x=y")
            assert shop.primary["spec"]["template"] == primary
            assert shop.waiting == made_of(primary, "6.0.0", adds_a_label)
            shop("set", "env", "deployment/podinfo", "COLOR=blue")
            assert shop.primary["spec"]["template"] == primary
            waiting = shop.waiting
            assert waiting
            assert waiting["metadata"]["labels"]["team"] == "shop"
            assert waiting["spec"]["containers"][0]["env"] == [{"name": "COLOR", "value": "blue"}]


@pytest.mark.parametrize("policy", ["Never", "IfNeeded"])
@pytest.mark.parametrize("order", [FIRST, USUAL])
def test_an_update_is_kept_while_a_new_webhook_rewrites_the_same_field_of_the_primary(order: str, policy: str) -> None:
    with podless() as shop:
        shop.create()
        primary = shop.primary["spec"]["template"]
        with mutating(shop.namespace, rewrites_the_registry, order, policy):
            shop.apply(shop.deployment("6.0.1"))
            assert shop.waiting == made_of(primary, "6.0.1", rewrites_the_registry)
            shop("label", "deployment/podinfo", "x=y")
            shop("annotate", "deployment/podinfo", "x=y")
            assert shop.waiting == made_of(primary, "6.0.1", rewrites_the_registry)
            assert shop.primary["spec"]["template"] == primary


def test_a_version_that_another_webhook_rewrites_is_promoted_once_and_under_its_users_name(open_shop: OpenShop) -> None:
    shop = open_shop(analysis=QUICK, replicas=1)
    with mutating(shop.namespace, rewrites_the_registry, USUAL, "IfNeeded"):
        shop.apply(shop.deployment("6.0.1"))
        waiting = shop.waiting
        shop.until("Succeeded")
        ends_well(shop, waiting)
        assert shop.primary["spec"]["template"]["spec"]["containers"][0]["image"].startswith("docker.io/")


def test_a_webhook_that_is_called_even_after_ours_costs_a_second_analysis_and_loses_nothing(
    open_shop: OpenShop,
) -> None:
    shop = open_shop(analysis=QUICK, replicas=1, pod={"terminationGracePeriodSeconds": 4})
    with mutating(shop.namespace, rewrites_the_registry, LAST, "Never"):
        shop.apply(shop.deployment("6.0.1"))
        shop.until("Succeeded")
        restarts = [text for text in shop.events() if "Restarting analysis" in text]
        assert (len(restarts), shop.live_image, shop.leftovers()) == (1, "6.0.1", [])
        assert shop.waiting is None
        assert shop.status["history"][-1]["by"] == "kubernetes-admin"


def test_what_another_webhook_makes_of_pods_is_in_the_canarys_too(open_shop: OpenShop) -> None:
    shop = open_shop(analysis=QUICK, replicas=1)
    with mutating(shop.namespace, adds_a_label, LAST, "IfNeeded", "pods"):
        shop.apply(shop.deployment("6.0.1"))
        waiting = shop.waiting
        eventually(lambda: shop("get", "pods", "-l", "team=shop,app=podinfo-canary", "-o", "name").out, "it is there")
        shop.until("Succeeded")
        ends_well(shop, waiting)


def ends_well(shop: Shop, waiting: Object | None) -> None:
    """What waited is promoted, in one analysis, and the same manifest again is no news."""
    assert waiting
    assert tag_of(waiting) == "6.0.1"
    ended = shop.status["history"]
    assert [(one["revision"], one["outcome"], one["by"]) for one in ended] == [
        (digest(waiting), "Succeeded", "kubernetes-admin")
    ]
    assert digest(shop.primary["spec"]["template"]) == digest(waiting)
    assert not any("Restarting analysis" in text for text in shop.events())
    shop.apply(shop.deployment("6.0.1"))
    assert (shop.waiting, shop.leftovers()) == (None, [])
