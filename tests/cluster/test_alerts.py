"""Alerts of real rollouts, to a chat in the cluster: what is told, once, and what survives a crash of the analyzer."""

import pytest

from tests.alerts.services import slack
from tests.cluster.chat import Chat, provider_of
from tests.cluster.home import kill_leader
from tests.cluster.kubectl import eventually
from tests.cluster.shop import QUICK, OpenShop, Shop

STEPS = {**QUICK, "stepWeight": 50, "maxWeight": 50}
DEADLINE = 8


def told(open_shop: OpenShop, severity: str = "info") -> tuple[Shop, Chat]:
    """A shop whose Canary tells a chat, in which nobody is yet."""
    shop = open_shop(replicas=1, analysis=STEPS, spec={"progressDeadlineSeconds": DEADLINE})
    chat = Chat(shop)
    chat.provide()
    alert = {"name": "chat", "severity": severity, "providerRef": {"name": "chat"}}
    shop.specify(analysis={"alerts": [alert]})
    return shop, chat


def test_a_chat_is_told_once_how_each_rollout_begins_and_ends_the_readiness_deadline_included(
    open_shop: OpenShop,
) -> None:
    shop, chat = told(open_shop)
    chat.begin()
    shop.set_image("6.0.1")
    shop.until("Succeeded")
    chat.hears("Promotion completed!")
    shop.set_image("no-such-tag")
    shop.until("Failed")
    chat.hears("Canary failed!")
    nothing_waits(shop)
    for body in chat.got:
        slack(body)
    assert [text.partition("!")[0] for text in chat.texts] == [
        "New revision detected",
        "Promotion completed",
        "New revision detected",
        "Canary failed",
    ]
    assert "exceeded its progress deadline" in chat.texts[-1]
    colours = [body["attachments"][0]["color"] for body in chat.got]
    assert colours == ["good", "good", "good", "danger"]
    facts = {field["title"]: field["value"] for field in chat.got[-1]["attachments"][0]["fields"]}
    assert facts["Images"].endswith(":no-such-tag")
    assert "s3cret" not in str(shop.events())


def test_an_alert_goes_by_the_proxy_of_its_provider_which_alone_knows_the_service(open_shop: OpenShop) -> None:
    shop = open_shop(replicas=1)
    proxy = Chat(shop)
    proxy.begin()
    address = "http://chat.example.invalid/services/T/B/x"
    shop.apply(provider_of({"type": "slack", "address": address, "proxy": proxy.host}))
    shop.specify(analysis={"alerts": [{"name": "chat", "providerRef": {"name": "chat"}}]})
    shop.set_image("6.0.1")
    proxy.hears("New revision detected!", 30)
    assert proxy.asked == {address}


def test_a_reference_that_leads_nowhere_is_told_of_as_soon_as_the_canary_is_written(open_shop: OpenShop) -> None:
    shop = open_shop(replicas=1)
    shop.specify(analysis={"alerts": [{"name": "chat", "providerRef": {"name": "chad"}}]})
    shop.tells(f"there is no AlertProvider chad in namespace {shop.namespace}", "Canary")


@pytest.mark.alone
def test_the_alert_of_an_ending_survives_an_analyzer_that_dies_before_it_is_sent(open_shop: OpenShop) -> None:
    shop, chat = told(open_shop, "error")
    shop.set_image("no-such-tag")
    shop.until("Failed")
    assert [entry["to"] for entry in shop.status["alerts"]] == [[f"{shop.namespace}/chat"]]
    kill_leader()
    chat.begin()
    chat.hears("Canary failed!", 90)
    nothing_waits(shop)


def nothing_waits(shop: Shop) -> None:
    """What is told is taken out of the status a moment later."""
    eventually(lambda: not shop.status.get("alerts"), "nothing waits", 20, lambda: shop.status)
