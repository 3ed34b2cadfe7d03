"""Updates that wait, or go without an analysis, because a person or a policy says so: each says why, and who."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.audit import noted
from tests.cluster.kubectl import Object, eventually, kubectl
from tests.cluster.person import Person, hire
from tests.cluster.policies import WritePolicy
from tests.cluster.shop import IMAGE, OpenShop, Shop, tag_of
from webhook.stash import LET_PAST

Lenient = Callable[..., str]
"""Writes a policy of these fields, which promotes within seconds."""


@pytest.fixture
def lenient(write_policy: WritePolicy) -> Lenient:
    def write(**spec: Any) -> str:
        return write_policy(spec=spec, interval="1s", threshold=1, stepWeights=[50], metrics=[])

    return write


def open_under(open_shop: OpenShop, policy: str, *without: str) -> Shop:
    shop = open_shop(policy=policy)
    for kind in without:
        shop("delete", kind, "podinfo")
    return shop


def message(shop: Shop) -> str:
    """What the Canary says; empty until there is one."""
    shop("wait", "canary/podinfo", "--for=create", "--timeout=20s")
    return str(shop.status.get("message", ""))


def last(shop: Shop) -> Object:
    return dict(shop.status["history"][-1])


def test_what_no_route_leads_to_goes_directly_and_the_history_says_why(open_shop: OpenShop, lenient: Lenient) -> None:
    shop = open_under(open_shop, lenient(), "ingress")
    shop.set_image("6.0.1")
    message(shop)
    shop.until("Succeeded", 40)
    assert shop.live_image == "6.0.1"
    assert "directly, since no Ingress sends requests to Service podinfo" in last(shop)["message"]
    shop.tells("no Ingress sends requests")


def test_what_no_service_selects_waits_where_the_policy_says_so(open_shop: OpenShop, lenient: Lenient) -> None:
    shop = open_under(open_shop, lenient(withoutRoutes="wait"), "ingress", "service")
    shop.set_image("6.0.1")
    eventually(lambda: "no Service selects" in message(shop), "it says why", 20)
    assert (shop.live_image, tag_of(shop.waiting)) == ("6.0.0", "6.0.1")


def test_in_a_freeze_of_the_policy_an_update_waits_and_can_be_let_through_by_hand(
    open_shop: OpenShop, lenient: Lenient, tmp_path: Path
) -> None:
    hour = (datetime.now(UTC) - timedelta(hours=1)).hour
    freeze = {"schedule": f"0 {hour} * * *", "duration": "4h", "reason": "black friday"}
    shop = open_under(open_shop, lenient(freezes=[freeze]))
    shop.set_image("6.0.1")
    message(shop)
    shop.until("Waiting", 20)
    eventually(lambda: "frozen until" in message(shop), "it says until when", 20)
    assert "(black friday)" in message(shop)
    trusted = hire(shop, tmp_path, "trusted", "edit", "detour-promote")
    assert trusted("promote", "podinfo", "--reason", "sold out").code == 0
    shop.until("Succeeded", 40)
    assert shop.live_image == "6.0.1"
    assert last(shop)["message"] == f"promoted by {trusted.user}: sold out"


def test_a_freeze_that_cannot_be_read_is_named_where_the_update_waits(open_shop: OpenShop, lenient: Lenient) -> None:
    shop = open_under(open_shop, lenient(freezes=[{"schedule": "0 25 * * *", "duration": "4h"}]))
    shop.set_image("6.0.1")
    eventually(lambda: "spec.freezes[0].schedule" in message(shop), "it says why", 20)


def test_a_namespace_may_be_opened_for_updates_that_go_directly(open_shop: OpenShop, lenient: Lenient) -> None:
    shop = open_under(open_shop, lenient(analysis={"interval": "30s", "threshold": 1, "stepWeights": [10]}))
    owner = Person(shop)
    assert "go directly" in owner("pause", "--direct", "--reason", "release night").out
    shop.set_image("6.0.1")
    message(shop)
    shop.until("Succeeded", 40)
    assert shop.live_image == "6.0.1"
    said = last(shop)["message"]
    assert said == f"promoted directly, as the namespace says, by {owner.user} (release night)"
    assert "begin again" in owner("resume").out
    shop.set_image("6.0.2")
    shop.until("Progressing", 20)
    assert shop.live_image == "6.0.1"


def test_opening_a_namespace_takes_the_verb_bypass_and_ones_own_name(
    open_shop: OpenShop, lenient: Lenient, tmp_path: Path
) -> None:
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


def test_who_lets_something_past_is_told_with_the_reason_in_events_history_and_audit_log(
    open_shop: OpenShop, lenient: Lenient
) -> None:
    shop = open_under(open_shop, lenient())
    container = {"name": "podinfo", "image": f"{IMAGE}:6.0.1"}
    template = {"spec": {"containers": [container]}}
    notes = {"annotations": {"kubernetes.io/change-cause": "INC-42"}}
    change = json.dumps({"metadata": notes, "spec": {"template": template}})
    shop("patch", "deployment/podinfo", "--field-manager=detour-bypass", "-p", change)
    assert shop.live_image == "6.0.1"
    said = "let past by kubernetes-admin: INC-42"
    eventually(lambda: f"podinfo.{shop.namespace} was {said}" in shop.events("Deployment"), "it is told", 20)
    entry = last(shop)
    assert (entry["outcome"], entry["message"], entry["by"]) == ("LetPast", said, "kubernetes-admin")
    eventually(lambda: not shop.primary["metadata"]["annotations"].get(LET_PAST), "it is told once", 10)
    assert noted(shop.namespace, "detour-bypass/bypass")[-1].endswith(said)


def test_who_opts_out_is_told(open_shop: OpenShop, lenient: Lenient) -> None:
    shop = open_under(open_shop, lenient())
    shop("label", "deployment/podinfo", "detour.dev/policy=none")
    said = f"podinfo.{shop.namespace} was opted out by kubernetes-admin"
    eventually(lambda: said in shop.events("Deployment"), "it is told", 20)
    eventually(lambda: LET_PAST not in shop.primary["metadata"].get("annotations", {}), "it is told once", 10)


def test_who_may_not_bypass_is_diverted_and_nothing_is_told(
    open_shop: OpenShop, lenient: Lenient, tmp_path: Path
) -> None:
    shop = open_under(open_shop, lenient())
    editor = hire(shop, tmp_path, "editor", "edit")
    change = ("set", "image", "deployment/podinfo", f"podinfo={IMAGE}:6.0.1", "--field-manager=detour-bypass")
    assert "as a canary first" in editor.kubectl(*change).err
    forged = editor.kubectl("annotate", "deployment/podinfo", f"{LET_PAST}=let past by kubernetes-admin")
    assert forged.code == 0
    assert LET_PAST not in shop.primary["metadata"]["annotations"]
    assert not [text for text in shop.events("Deployment") if "let past" in text]
