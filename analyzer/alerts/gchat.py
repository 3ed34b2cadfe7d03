"""Google Chat: an incoming webhook, with a card.

developers.google.com/workspace/chat/quickstart/webhooks, and for cards of version 2 (those that Flagger sends are
deprecated) developers.google.com/workspace/chat/api/reference/rest/v1/cards.
"""

from html import escape
from typing import Any

from analyzer.actions import Severity
from analyzer.alerts.alert import Alert, Destination

COLOURS = {Severity.INFO: "#1e8e3e", Severity.WARN: "#e37400", Severity.ERROR: "#d93025"}


def body(alert: Alert, _to: Destination) -> dict[str, Any]:
    """The message; texts in widgets are a little HTML."""
    coloured = f'<font color="{COLOURS[alert.severity]}">{escape(alert.text, quote=False)}</font>'
    widgets: list[dict[str, Any]] = [{"textParagraph": {"text": coloured}}]
    widgets += [
        {"decoratedText": {"topLabel": title, "text": escape(value, quote=False), "wrapText": True}}
        for title, value in alert.facts
    ]
    card = {"header": {"title": alert.who, "subtitle": alert.severity.value}, "sections": [{"widgets": widgets}]}
    return {"cardsV2": [{"cardId": "detour", "card": card}]}
