"""The main job: what is good is promoted, what is bad is thrown away, and the primary runs nothing unproven."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from click.testing import CliRunner

from detour.retry import command as retry
from tests.cluster.home import kill_leader
from tests.cluster.kubectl import KUBECONFIG, eventually
from tests.cluster.shop import IMAGE, QUICK, OpenShop, Shop, tag_of
from tests.cluster.users import Users
from webhook import revision, stash


def test_a_good_version_is_promoted_and_no_request_fails(shop: Shop) -> None:
    with Users(shop.host) as users:
        warning = shop.set_image("6.0.1").warnings[0]
        assert revision.short(stash.diverted(shop.primary).digest) in warning  # type: ignore[union-attr]
        eventually(lambda: shop.phase == "Progressing", "Progressing", 10)
        shop("wait", "canary/podinfo", "--for=condition=promoted", "--timeout=90s")
        assert shop.phase == "Succeeded"
        shop("rollout", "status", "deployment/podinfo", "--timeout=30s")
    assert users.failed == []
    assert users.answered["6.0.1"] > 0
    assert shop.live_image == "6.0.1"
    metadata = shop.primary["metadata"]
    assert not {stash.TEMPLATE, stash.PREVIOUS} & metadata["annotations"].keys()
    assert not {stash.REVISION, stash.STATE} & metadata["labels"].keys()
    assert shop.leftovers() == []
    assert "Succeeded" in shop("get", "canary/podinfo").out


def test_a_bad_version_is_thrown_away_and_is_remembered(shop: Shop) -> None:
    with Users(shop.host) as users:
        shop.set_image("errors")
        shop.until("Failed")
    assert shop.live_image == "6.0.0"
    assert shop.leftovers() == []
    assert users.answered["6.0.0"] > 0
    shop.tells("Halt podinfo.", "Canary")
    shop.tells("Rolling back podinfo.")
    history = shop.status["history"][-1]
    assert (history["outcome"], history["images"]) == ("Failed", [f"{IMAGE}:errors"])

    again = shop.apply(shop.deployment("errors"))
    assert "kubectl detour retry" in again.warnings[0]
    assert (shop.phase, len(shop.status["history"])) == ("Failed", 1)

    with Users(shop.host):
        shop.set_image("6.0.1")
        shop.until("Succeeded")
    assert shop.live_image == "6.0.1"


def test_a_rejected_version_runs_again_when_a_person_asks(shop: Shop) -> None:
    with Users(shop.host):
        shop.set_image("errors")
        shop.until("Failed")
        asked = CliRunner().invoke(retry, ["podinfo", "-n", shop.namespace, "--kubeconfig", str(KUBECONFIG)])
        assert asked.exit_code == 0, asked.output
        shop.until("Progressing", 10)
        shop.until("Failed")
    assert len(shop.status["history"]) == 2


def test_a_primary_that_does_not_come_up_gets_its_old_template_back(open_shop: OpenShop) -> None:
    shop = open_shop(spec={"progressDeadlineSeconds": 12})
    alone = {"labelSelector": {"matchLabels": {"app": "podinfo"}}, "topologyKey": "kubernetes.io/hostname"}
    bad = shop.deployment("6.0.1")
    bad["spec"]["template"]["spec"]["affinity"] = {
        "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [alone]}
    }
    with Users(shop.host) as users:
        shop.apply(bad)
        shop.until("Failed", 120)
    assert users.failed == []
    assert shop.live_image == "6.0.0"
    assert tag_of(shop.waiting) == "6.0.1"
    shop.tells("Promotion of podinfo.")
    shop("rollout", "status", "deployment/podinfo", "--timeout=30s")


def test_a_template_that_would_be_refused_at_promotion_is_rejected_before_anything_is_created(shop: Shop) -> None:
    bad = shop.deployment("6.0.1", volumeMounts=[{"name": "nowhere", "mountPath": "/data"}])
    shop.apply(bad)
    shop.until("Failed", 30)
    assert "volumeMounts" in shop.status["conditions"][0]["message"]
    assert shop.leftovers() == []
    assert not any("Scaling up podinfo-canary" in text for text in shop.events())


@pytest.mark.alone
def test_the_analyzer_may_be_killed_at_any_moment_and_goes_on(open_shop: OpenShop) -> None:
    with ThreadPoolExecutor(2) as pool:
        analysed, promoted = pool.map(lambda quick: open_shop(analysis=quick), ({}, QUICK))
    promoted("patch", "deployment", "podinfo", "-p", '{"spec":{"minReadySeconds":5}}')
    with Users(analysed.host) as one, Users(promoted.host) as other:
        promoted.set_image("6.0.1")
        promoted.until("Promoting")
        analysed.set_image("6.0.1")
        analysed.until("Progressing")
        kill_leader()
        assert (analysed.phase, promoted.phase) == ("Progressing", "Promoting")
        for shop in (analysed, promoted):
            shop.until("Succeeded")
            shop("rollout", "status", "deployment/podinfo", "--timeout=60s")
            shop.until_gone()
            assert shop.live_image == "6.0.1"
    assert one.failed == other.failed == []


def test_a_good_version_is_not_blamed_for_the_bad_one_before_it(open_shop: OpenShop) -> None:
    shop = open_shop(analysis={"threshold": 1})
    with Users(shop.host):
        shop.set_image("errors")
        shop.until_weight(25)
        shop.set_image("6.0.2")
        shop.until("Succeeded", 120)
    assert shop.live_image == "6.0.2"
    assert shop.status["failedChecks"] == 0
