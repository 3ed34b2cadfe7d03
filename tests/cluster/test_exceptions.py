"""Updates that wait, or go without an analysis, because a person or a policy says so: each says why, and who."""

import json
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.cluster.kubectl import Object, eventually, kubectl
from tests.cluster.person import Person, hire
from tests.cluster.shop import OpenShop, Shop, tag_of


def lenient(**spec: Any) -> str:
    """A policy of its own for a test, which promotes within seconds. Goes with nothing: it is cluster-wide."""
    name = f"test-{secrets.token_hex(3)}"
    analysis = {"interval": "1s", "threshold": 1, "stepWeights": [50], "metrics": []}
    body = {"apiVersion": "detour.dev/v1alpha1", "kind": "CanaryPolicy", "metadata": {"name": name}}
    kubectl("apply", "-f", "-", stdin=json.dumps({**body, "spec": {"analysis": analysis, **spec}}))
    return name


def open_under(open_shop: OpenShop, policy: str, *without: str) -> Shop:
    shop = open_shop(policy=policy)
    for kind in without:
        shop("delete", kind, "podinfo")
    return shop


def last(shop: Shop) -> Object:
    return dict(shop.status["history"][-1])


def test_what_no_route_leads_to_goes_directly_and_the_history_says_why(open_shop: OpenShop) -> None:
    shop = open_under(open_shop, lenient(), "ingress")
    shop.set_image("6.0.1")
    shop.until("Succeeded", 40)
    assert shop.live_image == "6.0.1"
    assert "directly, since no Ingress sends requests to Service podinfo" in last(shop)["message"]
    assert any("no Ingress sends requests" in text for text in shop.events("Deployment"))


def test_what_no_service_selects_waits_where_the_policy_says_so(open_shop: OpenShop) -> None:
    shop = open_under(open_shop, lenient(withoutRoutes="wait"), "ingress", "service")
    shop.set_image("6.0.1")
    eventually(lambda: "no Service selects" in str(shop.status.get("message")), "it says why", 20)
    assert (shop.live_image, tag_of(shop.waiting)) == ("6.0.0", "6.0.1")


def test_in_a_freeze_of_the_policy_an_update_waits_and_can_be_let_through_by_hand(
    open_shop: OpenShop, tmp_path: Path
) -> None:
    hour = (datetime.now(UTC) - timedelta(hours=1)).hour
    freeze = {"schedule": f"0 {hour} * * *", "duration": "4h", "reason": "black friday"}
    shop = open_under(open_shop, lenient(freezes=[freeze]))
    shop.set_image("6.0.1")
    shop.until("Waiting", 20)
    assert "frozen until" in shop.status["message"]
    assert "(black friday)" in shop.status["message"]
    trusted = hire(shop, tmp_path, "trusted", "edit", "detour-promote")
    assert trusted("promote", "podinfo", "--reason", "sold out").code == 0
    shop.until("Succeeded", 40)
    assert shop.live_image == "6.0.1"
    assert last(shop)["message"] == f"promoted by {trusted.user}: sold out"


def test_a_freeze_that_cannot_be_read_is_named_where_the_update_waits(open_shop: OpenShop) -> None:
    shop = open_under(open_shop, lenient(freezes=[{"schedule": "at four o'clock", "duration": "4h"}]))
    shop.set_image("6.0.1")
    eventually(lambda: "spec.freezes[0].schedule" in str(shop.status.get("message")), "it says why", 20)


def test_a_namespace_may_be_opened_for_updates_that_go_directly(open_shop: OpenShop) -> None:
    shop = open_under(open_shop, lenient(analysis={"interval": "30s", "threshold": 1, "stepWeights": [10]}))
    owner = Person(shop)
    assert "go directly" in owner("pause", "--direct", "--reason", "release night").out
    shop.set_image("6.0.1")
    shop.until("Succeeded", 40)
    assert shop.live_image == "6.0.1"
    message = last(shop)["message"]
    assert message == f"promoted directly, as the namespace says, by {owner.user} (release night)"
    assert "begin again" in owner("resume").out
    shop.set_image("6.0.2")
    shop.until("Progressing", 20)
    assert shop.live_image == "6.0.1"


def test_opening_a_namespace_takes_the_verb_bypass_and_ones_own_name(open_shop: OpenShop, tmp_path: Path) -> None:
    shop = open_under(open_shop, lenient())
    clerk = hire(shop, tmp_path, "clerk", "edit")
    rule = ("--verb=get,patch", "--resource=namespaces")
    kubectl("create", "clusterrole", f"{shop.namespace}-clerk", *rule)
    bind = ("create", "clusterrolebinding", f"{shop.namespace}-clerk", f"--clusterrole={shop.namespace}-clerk")
    kubectl(*bind, f"--serviceaccount={shop.namespace}:clerk")
    try:
        refused = clerk("pause", "--direct")
        assert "the verb bypass on namespaces.detour.dev is missing" in refused.err
        assert clerk("pause").code == 0
        forged = kubectl("annotate", "namespace", shop.namespace, "detour.dev/direct=by somebody", check=False)
        assert "it must begin with 'by " in forged.err
    finally:
        kubectl("delete", "clusterrole,clusterrolebinding", f"{shop.namespace}-clerk")
