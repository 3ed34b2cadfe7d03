"""Policies by label: nothing but `kubectl label`, and every update takes the detour."""

import json

import pytest

from tests.cluster.kubectl import Object, eventually, kubectl
from tests.cluster.namespaces import unique
from tests.cluster.policies import KIND, WritePolicy
from tests.cluster.shop import CALM, OpenShop, tag_of
from tests.cluster.users import Users
from webhook import stash


@pytest.fixture
def quick(write_policy: WritePolicy) -> str:
    """A policy judged by the built-in metrics."""
    return write_policy()


@pytest.fixture
def calm(write_policy: WritePolicy) -> str:
    """A policy that judges nothing, and takes its time."""
    return write_policy(**CALM)


def owner(thing: Object) -> str:
    return str(thing["metadata"]["ownerReferences"][0]["kind"])


def test_the_policy_default_is_there_from_the_start() -> None:
    found = json.loads(kubectl("get", "canarypolicy", "default", "-o", "json").out)
    assert found["spec"]["analysis"]["stepWeights"] == [10, 25, 50]


def test_under_nothing_but_a_label_a_good_version_is_promoted(open_shop: OpenShop, quick: str) -> None:
    shop = open_shop(policy=quick)
    assert not shop.exists("canary", "podinfo")
    with Users(shop.host) as users:
        said = shop.set_image("6.0.1")
        assert "canary" in said.warnings[0]
        assert shop.live_image == "6.0.0"
        shop.until("Succeeded")
    assert shop.live_image == "6.0.1"
    assert users.failed == []
    assert set(users.answered) == {"6.0.0", "6.0.1"}
    assert owner(shop.get("canary", "podinfo")) == "Deployment"


@pytest.mark.parametrize(("tag", "verdict"), [("errors", "success rate "), ("slow", "request duration ")])
def test_under_nothing_but_a_label_a_bad_version_is_rolled_back(
    open_shop: OpenShop, quick: str, tag: str, verdict: str
) -> None:
    shop = open_shop(policy=quick)
    with Users(shop.host) as users:
        shop.set_image(tag)
        shop.until("Failed")
    assert shop.live_image == "6.0.0"
    assert users.failed == []
    shop.tells(verdict, "Canary")
    shop.tells("Canary failed")
    shop.until_gone()


def test_the_label_of_a_deployment_picks_another_policy_or_none(open_shop: OpenShop, quick: str) -> None:
    shop = open_shop(policy="default")
    shop("label", "deployment/podinfo", f"{stash.POLICY}={quick}")
    shop.set_image("6.0.1")
    shop.until("Progressing", 20)
    assert shop.get("canary", "podinfo")["spec"]["analysis"]["interval"] == "4s"
    shop("label", "deployment/podinfo", f"{stash.POLICY}=none", "--overwrite")
    shop.until_gone()
    eventually(lambda: shop.ours == {stash.POLICY}, "nothing of ours but the label", 30, lambda: shop.ours)
    assert shop.set_image("6.0.2").warnings == []
    assert shop.live_image == "6.0.2"


def test_when_the_label_is_taken_away_in_mid_canary_nothing_of_ours_stays(open_shop: OpenShop, calm: str) -> None:
    shop = open_shop(policy=calm)
    with Users(shop.host) as users:
        shop.set_image("6.0.1")
        shop.until_weight(10)
        kubectl("label", "namespace", shop.namespace, f"{stash.POLICY}-")
        shop.until_gone()
        eventually(lambda: not shop.ours, "nothing of ours on the Deployment", 30, lambda: shop.ours)
    assert users.failed == []
    assert shop.live_image == "6.0.0"
    assert not shop.exists("canary", "podinfo")
    shop.tells(f"Detour has let go of podinfo.{shop.namespace}: the update that waited is dropped")
    assert shop.set_image("6.0.2").warnings == []
    assert shop.live_image == "6.0.2"


def test_what_falls_under_a_policy_that_does_not_exist_waits_until_it_does(
    open_shop: OpenShop, write_policy: WritePolicy
) -> None:
    named = unique("late")
    shop = open_shop(policy=named)
    shop.set_image("6.0.1")
    problem = f"CanaryPolicy {named} does not exist"
    eventually(lambda: any(problem in text for text in shop.events("Deployment")), "it is told", 20)
    assert (shop.live_image, tag_of(shop.waiting)) == ("6.0.0", "6.0.1")
    write_policy(named, metrics=[])
    shop.until("Succeeded")
    assert shop.live_image == "6.0.1"


def test_a_changed_policy_starts_the_analysis_anew(open_shop: OpenShop, calm: str, write_policy: WritePolicy) -> None:
    shop = open_shop(policy=calm)
    shop.set_image("6.0.1")
    shop.until_weight(10)
    write_policy(calm, interval="2s", metrics=[], stepWeights=[30])
    shop.until("Succeeded")
    who = f"podinfo.{shop.namespace}"
    told = [text for text in shop.events() if "weight" in text or "Restarting" in text]
    assert f"New revision detected! Restarting analysis for {who}" in told
    assert {f"Advance {who} canary weight 10", f"Advance {who} canary weight 30"} <= set(told)


def test_a_canary_that_the_user_wrote_wins(open_shop: OpenShop, calm: str) -> None:
    shop = open_shop(policy=calm)
    shop.set_image("6.0.1")
    shop.until("Progressing", 20)
    mine = shop.canary() | {"metadata": {"name": "mine"}}
    mine["spec"]["analysis"] |= {"interval": "2s", "metrics": []}
    shop.apply(mine)
    eventually(lambda: not shop.exists("canary", "podinfo"), "the policy's has gone", 20)
    shop("wait", "canary/mine", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=60s")
    assert shop.live_image == "6.0.1"


def test_names_that_the_label_means_otherwise_are_refused() -> None:
    spec = {"analysis": {"interval": "4s", "threshold": 2, "stepWeight": 10}}
    body = {**KIND, "metadata": {"name": "none"}, "spec": spec}
    said = kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(body), check=False)
    assert "choose another name" in said.err
