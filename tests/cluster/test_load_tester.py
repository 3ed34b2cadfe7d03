"""The load tester on a cluster: gates that outlive its pod, and suites that come before any traffic."""

import json

from tests.cluster.kubectl import Object, eventually, kubectl
from tests.cluster.load_tester import GATES, LoadTester
from tests.cluster.namespaces import namespace
from tests.cluster.shop import QUICK, OpenShop
from tests.cluster.users import Users

PODINFO: Object = {"name": "podinfo", "namespace": "shop"}
TOKEN = "hunter2"
SUITE = """#!/usr/bin/env bats
@test "it is healthy" {
  curl -sf "$URL/healthz"
}
@test "it is the version that was meant" {
  curl -s "$URL/version" | jq -e '.version == "6.0.1"'
}
"""


def test_a_gate_is_as_it_was_left_after_the_pod_is_replaced() -> None:
    with namespace("gates") as where:
        tester = LoadTester(where)
        tester.install()
        assert "Forbidden" in tester.asked("/gate/check", PODINFO).out
        assert tester.asked("/gate/open", PODINFO).code == 0
        assert tester.gates == {"gate.podinfo.shop": "open"}
        tester.restart()
        assert tester.asked("/gate/check", PODINFO).out == "Approved"
        assert "Forbidden" in tester.asked("/rollback/check", PODINFO).out
        tester.install()  # what GitOps does, again and again
        assert tester.asked("/gate/check", PODINFO).out == "Approved"
        patch = {"data": {"gate.podinfo.shop": None, "rollback.podinfo.shop": "open"}}
        kubectl("-n", where, "patch", "configmap", GATES, "--type=merge", "-p", json.dumps(patch))
        assert "Forbidden" in tester.asked("/gate/check", PODINFO).out
        assert tester.asked("/rollback/check", PODINFO).out == "Approved"


def test_its_account_may_read_and_change_its_gates_and_nothing_else() -> None:
    with namespace("rights") as where:
        tester = LoadTester(where)
        tester.install()
        account = f"--as=system:serviceaccount:{where}:flagger-loadtester"

        def may(*what: str) -> bool:
            return kubectl("-n", where, "auth", "can-i", *what, account, check=False).out.strip() == "yes"

        assert may("get", f"configmap/{GATES}")
        assert may("patch", f"configmap/{GATES}")
        others = (
            ("get", "configmap/kube-root-ca.crt"),
            ("list", "configmaps"),
            ("create", "configmaps"),
            ("delete", f"configmap/{GATES}"),
            ("get", "secrets"),
            ("list", "pods"),
            ("create", "pods"),
        )
        assert [what for what in others if may(*what)] == []


def test_a_suite_that_fails_blocks_the_revision_before_any_traffic_and_is_shown(open_shop: OpenShop) -> None:
    shop = open_shop(analysis={**QUICK, "webhooks": []})
    suite = SUITE.replace("$URL", f"http://podinfo-canary.{shop.namespace}:9898")
    tester = LoadTester(shop.namespace, token=TOKEN, suites={"acceptance": suite})
    tester.install()
    refused = tester.asked("/", {**PODINFO, "metadata": {"type": "test", "cmd": "acceptance"}})
    assert "token is missing or wrong" in refused.out
    shop.specify(
        analysis={"webhooks": [tester.hook("acceptance", "pre-rollout", "/", "30s", type="test", cmd="acceptance")]}
    )
    with Users(shop.host) as users:
        shop.set_image("6.0.2")
        shop.until("Failed", 60)
        shop.tells("acceptance failed with status 1: not ok 2 it is the version that was meant", "Canary")
        assert set(users.answered) == {"6.0.0"}
        assert not any(TOKEN in told for told in shop.events("Canary") + shop.events())
        shop.set_image("6.0.1")
        shop.until("Succeeded", 90)
    assert users.failed == []
    assert shop.live_image == "6.0.1"
    log = kubectl("-n", shop.namespace, "logs", "deployment/flagger-loadtester").out
    assert TOKEN not in log
    eventually(lambda: "acceptance finished" in log, "the log says how it ended", 5, lambda: log)
