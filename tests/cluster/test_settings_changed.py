"""Canary, policy or label edited, deleted or taken away while a canary runs: it stops safe, and says so.

Safe means: no traffic to the canary first, then no canary; what waited is dropped only where nobody looks after it.
"""

import json
import time

import pytest

from tests.cluster.kubectl import eventually, kubectl
from tests.cluster.policies import WritePolicy
from tests.cluster.shop import CALM, QUICK, OpenShop, Shop, tag_of
from tests.cluster.users import Users
from webhook import stash

SMALL = {"replicas": 1, "pod": {"terminationGracePeriodSeconds": 4}}


@pytest.fixture
def calm(write_policy: WritePolicy) -> str:
    """A policy of this test's own, which judges nothing and takes its time."""
    return write_policy(**CALM)


def steps(shop: Shop) -> list[str]:
    """The weights that the events tell of, and where they began anew."""
    return [text for text in shop.events() if " weight " in text or "Restarting" in text]


def is_let_go(shop: Shop) -> None:
    """Nothing of ours is left, the primary runs what it ran, the next update is like in any cluster."""
    shop.until_gone()
    eventually(lambda: not shop.ours, "nothing of ours on the Deployment", 30, lambda: shop.ours)
    assert shop.live_image == "6.0.0"
    told = f"Detour has let go of podinfo.{shop.namespace}: the update that waited is dropped"
    eventually(lambda: told in shop.events("Deployment"), "it is told", 15, lambda: shop.events("Deployment"))
    assert shop.set_image("6.0.2").warnings == []
    assert shop.live_image == "6.0.2"


def test_a_canary_object_deleted_in_mid_canary_takes_everything_with_it(open_shop: OpenShop) -> None:
    shop = open_shop(analysis=CALM, **SMALL)
    with Users(shop.host) as users:
        shop.set_image("6.0.1")
        shop.until_weight(25)
        shop("delete", "canary", "podinfo")
        is_let_go(shop)
    assert users.failed == []


def test_a_canary_object_deleted_and_created_in_mid_canary_guards_again(open_shop: OpenShop) -> None:
    shop = open_shop(analysis=CALM, **SMALL)
    shop.set_image("6.0.1")
    shop.until_weight(25)
    shop("replace", "--force", "-f", "-", stdin=json.dumps(shop.canary()))
    shop("wait", "canary/podinfo", "--for=condition=guarded", "--timeout=60s")
    shop.until_weight(25)
    assert (shop.live_image, tag_of(shop.waiting)) == ("6.0.0", "6.0.1")


def test_a_canary_object_deleted_and_created_in_mid_promotion_ends_the_promotion(open_shop: OpenShop) -> None:
    shop = open_shop(analysis=QUICK, **SMALL)
    slow = shop.deployment("6.0.1")
    slow["spec"]["minReadySeconds"] = 4
    shop.apply(slow)
    shop.until("Promoting")
    eventually(lambda: shop.live_image == "6.0.1", "the primary rolls", 20)
    shop("replace", "--force", "-f", "-", stdin=json.dumps(shop.canary()))
    shop.until_gone()
    eventually(lambda: stash.PREVIOUS not in shop.primary["metadata"]["annotations"], "the promotion is done", 60)
    shop("wait", "canary/podinfo", "--for=condition=guarded", "--timeout=60s")
    assert (shop.live_image, shop.waiting) == ("6.0.1", None)
    shop.set_image("6.0.2")
    assert (shop.live_image, tag_of(shop.waiting)) == ("6.0.1", "6.0.2")


def test_a_changed_analysis_of_the_canary_starts_anew(open_shop: OpenShop) -> None:
    shop = open_shop(analysis=CALM, **SMALL)
    shop.set_image("6.0.1")
    shop.until_weight(25)
    shop.specify(analysis={"interval": "1s", "stepWeight": None, "maxWeight": None, "stepWeights": [10]})
    shop.until("Succeeded")
    who = f"podinfo.{shop.namespace}"
    assert f"New revision detected! Restarting analysis for {who}" in steps(shop)
    assert f"Advance {who} canary weight 10" in steps(shop)


def test_a_deleted_policy_stops_the_canary_and_the_update_waits_for_another(
    open_shop: OpenShop, calm: str, write_policy: WritePolicy
) -> None:
    shop = open_shop(policy=calm, **SMALL)
    shop.set_image("6.0.1")
    shop.until_weight(10)
    kubectl("delete", "canarypolicy", calm)
    shop.until_gone(20)
    problem = f"CanaryPolicy {calm} does not exist"
    eventually(lambda: any(problem in text for text in shop.events("Deployment")), "it is told", 20)
    assert (shop.live_image, tag_of(shop.waiting)) == ("6.0.0", "6.0.1")
    write_policy(calm, interval="1s", metrics=[])
    shop.until("Succeeded")


def test_a_label_that_names_another_policy_starts_the_analysis_anew(
    open_shop: OpenShop, calm: str, write_policy: WritePolicy
) -> None:
    shop = open_shop(policy=calm, **SMALL)
    shop.set_image("6.0.1")
    shop.until_weight(10)
    other = write_policy(interval="1s", metrics=[], stepWeights=[30])
    kubectl("label", "namespace", shop.namespace, f"{stash.POLICY}={other}", "--overwrite")
    shop.until("Succeeded")
    assert f"Advance podinfo.{shop.namespace} canary weight 30" in steps(shop)
    assert shop.get("canary", "podinfo")["metadata"]["labels"]["detour.dev/by-policy"] == other
    assert shop.live_image == "6.0.1"


def test_a_suspended_canary_keeps_its_weight_says_so_and_goes_on_when_it_is_resumed(open_shop: OpenShop) -> None:
    shop = open_shop(analysis={"interval": "2s", "metrics": [], "stepWeight": 5}, **SMALL)
    shop.set_image("6.0.1")
    shop.until_weight(5)
    shop.specify(suspend=True)
    eventually(lambda: "suspend" in str(shop.status.get("message", "")), "it says so", 15, lambda: shop.status)
    weight = shop.status["canaryWeight"]
    time.sleep(5)  # more than two steps would take
    assert (shop.live_image, shop.status["canaryWeight"]) == ("6.0.0", weight)
    shop.specify(suspend=False)
    shop.until_weight(weight + 5)


def test_an_update_taken_back_while_its_canary_is_suspended_is_served_to_nobody(open_shop: OpenShop) -> None:
    shop = open_shop(analysis=CALM, **SMALL)
    shop.apply(shop.deployment("6.0.1"))
    shop.until_weight(25)
    shop.specify(suspend=True)
    shop.apply(shop.deployment("6.0.0"))
    shop.until_gone(20)
    assert (shop.live_image, shop.waiting) == ("6.0.0", None)
