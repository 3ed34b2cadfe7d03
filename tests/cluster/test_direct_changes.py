"""What goes without a canary and why, or waits for its time: nobody is served, or nothing could run twice."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.cluster.kubectl import Object, eventually
from tests.cluster.podless import Podless, podless
from tests.cluster.shop import CALM, OpenShop, Shop, tag_of
from tests.cluster.test_users_view import type_what_it_says
from webhook import stash

TWO_MINUTES = timedelta(minutes=2)

Twist = Callable[[Podless, Object], None]


def recreate(_: Podless, deployment: Object) -> None:
    deployment["spec"]["strategy"] = {"type": "Recreate"}


def writable_claim(_: Podless, deployment: Object) -> None:
    pod = deployment["spec"]["template"]["spec"]
    pod["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": "orders"}}]
    pod["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]


def host_port(_: Podless, deployment: Object) -> None:
    deployment["spec"]["template"]["spec"]["containers"][0]["ports"][0]["hostPort"] = 9898


def host_network(_: Podless, deployment: Object) -> None:
    deployment["spec"]["template"]["spec"]["hostNetwork"] = True


def operator(shop: Podless, deployment: Object) -> None:
    """Any object will do, but it has to exist: the garbage collector takes away what belongs to nobody."""
    shop("create", "configmap", "orders")
    uid = shop.get("configmap", "orders")["metadata"]["uid"]
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "orders", "uid": uid, "controller": True}
    deployment["metadata"]["ownerReferences"] = [owner]


@pytest.mark.parametrize(
    ("twist", "reason"),
    [
        (recreate, "its strategy is Recreate"),
        (writable_claim, "it writes to claim orders"),
        (host_port, "it takes host port 9898"),
        (host_network, "it uses the host's network"),
        (operator, "ConfigMap orders controls it"),
    ],
)
def test_what_cannot_run_twice_or_is_an_operators_changes_at_once_unless_the_deployment_itself_insists(
    twist: Twist, reason: str
) -> None:
    with podless() as shop:
        deployment = shop.deployment()
        twist(shop, deployment)
        shop.apply(deployment)
        said = shop.set_image("6.0.1")
        assert f"no canary, {reason}; insist: " in said.warnings[0]
        assert (shop.live_image, shop.waiting) == ("6.0.1", None)
        type_what_it_says(shop, said)
        shop.set_image("6.0.2")
        assert (shop.live_image, tag_of(shop.waiting)) == ("6.0.1", "6.0.2")


def test_with_no_replicas_wanted_it_changes_at_once() -> None:
    with podless(replicas=0) as shop:
        shop.create()
        assert "changed at once, 0 replicas are wanted" in shop.set_image("6.0.1").warnings[0]
        assert (shop.live_image, shop.waiting) == ("6.0.1", None)
        shop.tells(f"podinfo.{shop.namespace} was changed directly by kubernetes-admin: 0 replicas are wanted")
        eventually(lambda: stash.LET_PAST not in shop.ours, "it is told once", 10)


def test_a_primary_that_is_down_lets_updates_through_only_after_a_minute() -> None:
    with podless() as shop:
        down = shop.deployment()
        down["spec"]["strategy"] = {"rollingUpdate": {"maxUnavailable": 0}}
        shop.apply(down)
        shop("wait", "deployment/podinfo", "--for=condition=Available=False", "--timeout=30s")
        shop.set_image("6.0.1")
        assert (shop.live_image, tag_of(shop.waiting)) == ("6.0.0", "6.0.1")
        has_been_down(shop)
        assert "changed at once, no replica was available for 12" in shop.set_image("6.0.2").warnings[0]
        assert (shop.live_image, shop.waiting) == ("6.0.2", None)


def test_a_primary_whose_own_rollout_has_given_up_takes_its_fix_at_once() -> None:
    with podless() as shop:
        broken = Shop.deployment(shop, "never-built")
        broken["spec"] |= {"progressDeadlineSeconds": 1, "replicas": 1}
        shop.apply(broken)
        shop("wait", "deployment/podinfo", "--for=jsonpath={.status.updatedReplicas}=1", "--timeout=30s")
        shop("wait", "deployment/podinfo", "--for=condition=Progressing=False", "--timeout=30s")
        said = shop.apply(Shop.deployment(shop, "6.0.1"))
        assert "changed at once, its rollout exceeded the progress deadline" in said.warnings[0]
        shop("wait", "deployment/podinfo", "--for=condition=Available", "--timeout=60s")
        assert (shop.live_image, shop.waiting) == ("6.0.1", None)


def test_an_update_that_came_in_a_bad_moment_goes_at_once_when_the_moment_lasts(open_shop: OpenShop) -> None:
    shop = open_shop(analysis=CALM, replicas=1)
    fails_its_probes(shop)
    shop("wait", "deployment/podinfo", "--for=condition=Available=False", "--timeout=30s")
    shop.set_image("6.0.1")
    eventually(lambda: "waiting for the primary" in shop.status.get("message", ""), "it waits", 15, lambda: shop.status)
    assert shop.live_image == "6.0.0"
    has_been_down(shop)
    shop.until("Succeeded")
    assert (shop.live_image, shop.waiting, shop.leftovers()) == ("6.0.1", None, [])
    shop.tells(f"New revision detected! Promoting it at once, podinfo.{shop.namespace} is down")


def test_an_update_during_a_rollout_starts_when_that_has_settled(open_shop: OpenShop) -> None:
    shop = open_shop(analysis=CALM, replicas=1)
    shop("patch", "deployment/podinfo", "-p", json.dumps({"spec": {"minReadySeconds": 4}}))
    shop("rollout", "restart", "deployment/podinfo")
    shop.set_image("6.0.1")
    eventually(lambda: "waiting for the primary" in shop.status.get("message", ""), "it waits", 10, lambda: shop.status)
    assert not shop.exists("deployment", "podinfo-canary")
    shop.until("Progressing", 30)
    assert "successfully rolled out" in shop("rollout", "status", "deployment/podinfo", "--timeout=1s").out
    assert shop.live_image == "6.0.0"


def test_an_update_of_a_paused_deployment_starts_when_it_is_resumed(open_shop: OpenShop) -> None:
    shop = open_shop(analysis=CALM, replicas=1)
    shop("rollout", "pause", "deployment/podinfo")
    shop.set_image("6.0.1")
    eventually(lambda: "is paused" in shop.status.get("message", ""), "it waits", 10, lambda: shop.status)
    assert not shop.exists("deployment", "podinfo-canary")
    shop("rollout", "resume", "deployment/podinfo")
    shop.until_weight(25)
    assert shop.live_image == "6.0.0"


def has_been_down(shop: Shop) -> None:
    """The clock of a condition that is true put back; the Deployment's controller keeps the time of what stays."""
    since = (datetime.now(UTC) - TWO_MINUTES).strftime("%Y-%m-%dT%H:%M:%SZ")
    conditions = shop.primary["status"]["conditions"]
    (available,) = (condition for condition in conditions if condition["type"] == "Available")
    assert available["status"] == "False"
    available["lastTransitionTime"] = since
    change = json.dumps({"status": {"conditions": conditions}})
    shop("patch", "deployment/podinfo", "--subresource=status", "--type=merge", "-p", change)


def fails_its_probes(shop: Shop) -> None:
    """podinfo's own switch, in each of its pods."""
    for pod in shop.get("pods", "-l", "app=podinfo")["items"]:
        path = f"/api/v1/namespaces/{shop.namespace}/pods/{pod['metadata']['name']}:9898/proxy/readyz/disable"
        shop("create", "--raw", path, "-f", "-", stdin="")
