"""Microsoft Teams: a workflow's webhook, which takes an Adaptive Card, or an Office 365 connector, a MessageCard.

learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using has both: a message whose
attachments are cards, and the card that connectors had before. A workflow takes no MessageCard; connectors take both.
A connector that is throttled says so in a body under a good status (same page, "Rate limiting for connectors").
"""

from typing import Any
from urllib.parse import urlsplit

from analyzer.actions import Severity
from analyzer.alerts.alert import Alert, Destination

CONNECTORS = ("webhook.office.com", "outlook.office.com", "outlook.office365.com")
CARD_COLOURS = {Severity.INFO: "Good", Severity.WARN: "Warning", Severity.ERROR: "Attention"}
COLOURS = {Severity.INFO: "2EB886", Severity.WARN: "DAA038", Severity.ERROR: "A30200"}
THROTTLED = b"returned HTTP error 429"


def body(alert: Alert, to: Destination) -> dict[str, Any]:
    """The message, in the form that its address takes."""
    return _message_card(alert) if _is_connector(to.address) else _adaptive(alert)


def _is_connector(address: str) -> bool:
    host = (urlsplit(address).hostname or "").lower()
    return any(host == known or host.endswith(f".{known}") for known in CONNECTORS)


def _adaptive(alert: Alert) -> dict[str, Any]:
    """adaptivecards.io/explorer: version 1.4 is what every Teams client shows."""
    title = {"type": "TextBlock", "text": alert.who, "weight": "Bolder", "size": "Medium", "wrap": True}
    text = {"type": "TextBlock", "text": alert.text, "color": CARD_COLOURS[alert.severity], "wrap": True}
    facts = {"type": "FactSet", "facts": [{"title": title, "value": value} for title, value in alert.facts]}
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": f"{alert.who}: {alert.text}",
        "msteams": {"width": "Full"},
        "body": [title, text, *([facts] if alert.facts else [])],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _message_card(alert: Alert) -> dict[str, Any]:
    section = {
        "activityTitle": alert.text,
        "activitySubtitle": alert.who,
        "facts": [{"name": title, "value": value} for title, value in alert.facts],
        "markdown": False,
    }
    return {
        "@type": "MessageCard",
        "@context": "http://schema.org/extensions",
        "themeColor": COLOURS[alert.severity],
        "summary": alert.who,
        "sections": [section],
    }


def complaint(answer: bytes) -> tuple[str, bool]:
    """Why a message was not taken although the status was good, and whether it may be later; "" if it was taken."""
    said = answer.decode(errors="replace")
    if THROTTLED in answer:
        return "it is asked too often", True
    return (said[:200], False) if "delivery failed" in said else ("", False)
