"""What each service is sent, judged by pretended ones that know its published format (tests/alerts/services.py)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from analyzer.actions import Severity
from analyzer.alerts import discord, gchat, rocket, slack, teams, webhook
from analyzer.alerts.alert import Alert, Destination
from tests.alerts import services

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
FACTS = (("Images", "registry.example/podinfo:6.0.1"), ("By", "alice (kubectl-set)"), ("Revision", "0123456789"))
ALERT = Alert("podinfo", "test", Severity.ERROR, "Canary failed! Scaling down podinfo.test", NOW, FACTS)
WORKFLOW = "https://prod-01.westeurope.logic.azure.com:443/workflows/1/triggers/manual/paths/invoke?sig=x"
CONNECTOR = "https://example.webhook.office.com/webhookb2/1@2/IncomingWebhook/3/4"

Body = Callable[[Alert, Destination], dict[str, Any]]

SERVICES: list[tuple[Body, Callable[[dict[str, Any]], None], Destination]] = [
    (slack.body, services.slack, Destination("slack", "https://hooks.slack.com/services/T/B/x", "ops", "detour")),
    (teams.body, services.adaptive_card, Destination("msteams", WORKFLOW)),
    (teams.body, services.message_card, Destination("msteams", CONNECTOR)),
    (discord.body, services.discord, Destination("discord", "https://discord.com/api/webhooks/1/x", "", "detour")),
    (rocket.body, services.rocket, Destination("rocket", "https://chat.example/hooks/1/x", "ops", "detour")),
    (gchat.body, services.gchat, Destination("gchat", "https://chat.googleapis.com/v1/spaces/1/messages?key=x")),
    (webhook.body, services.anything, Destination("webhook", "https://alerts.example/")),
]


@pytest.mark.parametrize("severity", list(Severity))
@pytest.mark.parametrize(("body", "check", "to"), SERVICES)
def test_every_service_takes_an_alert_of_every_severity(
    body: Body, check: Callable[[dict[str, Any]], None], to: Destination, severity: Severity
) -> None:
    alert = Alert("podinfo", "test", severity, "New revision detected!", NOW, FACTS)
    sent = body(alert, to)
    check(sent)
    said = str(sent)
    assert "New revision detected!" in said
    assert "podinfo" in said
    assert all(value in said for _, value in FACTS)


@pytest.mark.parametrize(("body", "check", "to"), SERVICES)
def test_every_service_takes_an_alert_without_facts_and_a_very_long_one(
    body: Body, check: Callable[[dict[str, Any]], None], to: Destination
) -> None:
    check(body(Alert("podinfo", "test", Severity.INFO, "Initialization done! podinfo.test", NOW), to))
    many = (("Images", ", ".join(f"registry.example/a-long-name-{number}:1" for number in range(40))),)
    check(body(Alert("p" * 253, "n" * 63, Severity.WARN, "x" * 1000, NOW, many), to))


def test_severities_differ_in_colour() -> None:
    for body, _, to in SERVICES[:-2]:
        seen = {str(body(Alert("podinfo", "test", severity, "x", NOW), to)) for severity in Severity}
        assert len(seen) == len(Severity)


def test_slack_is_not_told_to_mention_anybody_by_what_others_wrote() -> None:
    (attachment,) = slack.body(
        Alert("podinfo", "test", Severity.WARN, "<!channel> a & b", NOW, (("By", "<@U1>"),)),
        Destination("slack", "https://hooks.slack.com/x"),
    )["attachments"]
    # api.slack.com/reference/surfaces/formatting#escaping: these three, and no others
    assert attachment["text"] == "&lt;!channel&gt; a &amp; b"
    assert attachment["fields"][0]["value"] == "&lt;@U1&gt;"


def test_discord_mentions_nobody() -> None:
    assert discord.body(ALERT, Destination("discord", "https://discord.com/x"))["allowed_mentions"] == {"parse": []}


def test_google_chat_shows_what_looks_like_html_as_it_is() -> None:
    alert = Alert("podinfo", "test", Severity.INFO, "a <b>bold</b> & quiet", NOW)
    (card,) = gchat.body(alert, Destination("gchat", "https://chat.googleapis.com/x"))["cardsV2"]
    text = card["card"]["sections"][0]["widgets"][0]["textParagraph"]["text"]
    assert "a &lt;b&gt;bold&lt;/b&gt; &amp; quiet" in text


@pytest.mark.parametrize(
    ("channel", "token", "sent"),
    [("", "", None), ("ops", "", "ops"), ("", "xoxb-1", "general"), ("C123", "xoxb-1", "C123")],
)
def test_a_channel_is_sent_where_one_is_named_and_a_bot_has_to_name_one(channel: str, token: str, sent: str) -> None:
    to = Destination("slack", "https://slack.com/api/chat.postMessage", channel, "detour", token)
    assert slack.body(ALERT, to).get("channel") == sent


@pytest.mark.parametrize(
    ("address", "old"),
    [
        (CONNECTOR, True),
        ("https://outlook.office.com/webhook/1/IncomingWebhook/2/3", True),
        (WORKFLOW, False),
        ("https://default1.environment.api.powerplatform.com:443/powerautomate/automations/direct/workflows/1", False),
        ("https://webhook.office.com.example/", False),
    ],
)
def test_a_connectors_address_gets_a_message_card_and_any_other_an_adaptive_one(address: str, old: bool) -> None:
    assert ("@type" in teams.body(ALERT, Destination("msteams", address))) is old


@pytest.mark.parametrize(
    "address", ["https://discord.com/api/webhooks/1/x", "https://discord.com/api/webhooks/1/x/slack"]
)
def test_discords_address_works_with_and_without_flaggers_ending(address: str) -> None:
    assert discord.address(address) == "https://discord.com/api/webhooks/1/x"


def test_a_plain_webhook_is_sent_the_fields_that_the_documents_name() -> None:
    assert webhook.body(ALERT, Destination("webhook", "https://alerts.example/", "ops")) == {
        "name": "podinfo",
        "namespace": "test",
        "severity": "error",
        "message": "Canary failed! Scaling down podinfo.test",
        "time": "2026-11-23T08:00:00+00:00",
        "channel": "ops",
        "facts": dict(FACTS),
    }


def test_a_destination_does_not_show_its_secrets() -> None:
    shown = repr(Destination("slack", "https://hooks.slack.com/services/T/B/secret", token="xoxb-secret"))
    assert "secret" not in shown


def test_times_are_told_with_their_zone() -> None:
    later = Alert("podinfo", "test", Severity.INFO, "x", NOW + timedelta(seconds=1))
    assert rocket.body(later, SERVICES[4][2])["attachments"][0]["ts"] == "2026-11-23T08:00:01+00:00"
