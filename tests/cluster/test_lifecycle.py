"""Deployments deleted, copied, moved and restored in mid-canary: nothing is left over, stuck, or started by itself."""

import json
from collections.abc import Callable

import pytest

from tests.cluster import backup
from tests.cluster.kubectl import Object, eventually, kubectl
from tests.cluster.namespaces import namespace
from tests.cluster.podless import podless
from tests.cluster.shop import CALM, QUICK, OpenShop, Shop, tag_of
from webhook import stash


@pytest.fixture
def shop(open_shop: OpenShop) -> Shop:
    """One whose canary has a quarter of the traffic, and keeps it."""
    found = open_shop(analysis=CALM)
    found.apply(found.deployment("6.0.1"))
    found.until_weight(25)
    return found


def comes_as_it_is(shop: Shop, tag: str = "6.0.0") -> None:
    """The Deployment runs what its manifest says, nothing runs beside it, and the next update is diverted."""
    shop.until_gone()
    eventually(
        lambda: shop.ours == {stash.POLICY}, "it is guarded, and has nothing else of ours", 60, lambda: shop.ours
    )
    shop("wait", "canary/podinfo", "--for=condition=guarded", "--timeout=60s")
    shop("rollout", "status", "deployment/podinfo", "--timeout=60s")
    assert (shop.live_image, shop.waiting) == (tag, None)
    shop.set_image("6.0.2")
    assert (shop.live_image, tag_of(shop.waiting)) == (tag, "6.0.2")


def test_a_deployment_deleted_and_created_in_mid_canary_comes_as_its_manifest_says(shop: Shop) -> None:
    shop("replace", "--force", "-f", "-", stdin=json.dumps(shop.deployment("6.0.1")))
    comes_as_it_is(shop, "6.0.1")


def test_a_deployment_deleted_without_its_pods_leaves_no_canary(shop: Shop) -> None:
    shop("delete", "deployment", "podinfo", "--cascade=orphan")
    shop.until_gone()
    shop.until("Failed", 30)
    assert len(shop.get("pods", "-l", "app=podinfo")["items"]) == shop.replicas
    shop.apply(shop.deployment())
    comes_as_it_is(shop)


def test_a_namespace_deleted_in_mid_canary_is_gone_in_time(shop: Shop) -> None:
    kubectl("delete", "namespace", shop.namespace, "--timeout=45s")


@pytest.mark.parametrize("prepare", [list, backup.without_owners], ids=["with owners", "as Velero does"])
def test_a_backup_of_a_canary_restored_into_its_namespace_runs_the_primary_alone(
    shop: Shop, prepare: Callable[[list[Object]], list[Object]]
) -> None:
    taken = prepare(backup.taken(shop))
    kubectl("delete", "namespace", shop.namespace)
    kubectl("create", "namespace", shop.namespace)
    backup.restored(taken, shop.namespace)
    comes_as_it_is(shop)


def test_a_backup_of_a_canary_restored_into_another_namespace_runs_the_primary_alone(
    shop: Shop,
) -> None:
    with namespace("restored") as other:
        backup.restored(backup.without_owners(backup.taken(shop)), other)
        comes_as_it_is(Shop(other))


def test_a_deployment_copied_in_mid_canary_brings_nothing_along() -> None:
    with podless() as shop, podless() as other:
        shop.create()
        shop.set_image("6.0.1")
        assert shop.waiting
        found = shop.primary
        found["metadata"]["namespace"] = other.namespace
        del found["metadata"]["uid"], found["metadata"]["resourceVersion"]
        other.apply(found)
        assert (other.live_image, other.waiting, other.ours) == ("6.0.0", None, set())
        other("wait", "deployment/podinfo", "--for=condition=Available", "--timeout=30s")
        other.set_image("6.0.2")
        assert (other.live_image, tag_of(other.waiting)) == ("6.0.0", "6.0.2")


def test_a_pod_that_changed_all_over_is_analysed_and_promoted_as_it_is(open_shop: OpenShop) -> None:
    shop = open_shop(analysis=QUICK, replicas=1)
    shop("create", "serviceaccount", "shopkeeper")
    changed = all_over(shop.deployment("6.0.1"))
    shop.apply(changed)
    waiting = shop.waiting
    assert waiting
    shop.until_weight(25)
    canary = shop.get("deployment", "podinfo-canary")["spec"]["template"]["spec"]
    assert canary == waiting["spec"]
    shop.until("Succeeded")
    assert shop.primary["spec"]["template"] == waiting
    shop.apply(changed)
    assert shop.waiting is None


def all_over(deployment: Object) -> Object:
    """Another name of its container, and a volume, a ServiceAccount, an init container and a sidecar more."""
    pod = deployment["spec"]["template"]["spec"]
    mounts = [{"name": "scratch", "mountPath": "/scratch"}]
    pod["containers"][0] |= {"name": "shop", "volumeMounts": mounts}
    tool = {"image": "detour.dev/detour:dev", "imagePullPolicy": "IfNotPresent", "volumeMounts": mounts}
    first = {**tool, "name": "first", "command": ["python3", "-c", "open('/scratch/ready', 'w')"]}
    forever = {**tool, "name": "sidecar", "command": ["python3", "-c", "import signal; signal.pause()"]}
    pod["initContainers"] = [first, {**forever, "restartPolicy": "Always"}]
    pod["volumes"] = [{"name": "scratch", "emptyDir": {}}]
    pod["serviceAccountName"] = "shopkeeper"
    return deployment
