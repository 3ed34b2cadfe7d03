"""Rocket.Chat: an incoming webhook, whose messages have Slack's form with a few names of its own.

docs.rocket.chat/docs/integrations, developer.rocket.chat/apidocs/send-message (alias, emoji, attachments).
"""

import json
from typing import Any

from analyzer.actions import Severity
from analyzer.alerts.alert import Alert, Destination

COLOURS = {Severity.INFO: "#2de0a5", Severity.WARN: "#f3be08", Severity.ERROR: "#f5455c"}


def body(alert: Alert, to: Destination) -> dict[str, Any]:
    """The message. Nobody is mentioned by what stands in an attachment."""
    attachment = {
        "color": COLOURS[alert.severity],
        "author_name": alert.who,
        "text": alert.text,
        "fields": [{"title": title, "value": value, "short": len(value) < 40} for title, value in alert.facts],
        "ts": alert.time.isoformat(),
    }
    return {
        **({"channel": to.channel} if to.channel else {}),
        "alias": to.username,
        "emoji": ":rocket:",
        "attachments": [attachment],
    }


def complaint(answer: bytes) -> tuple[str, bool]:
    """Why a message was not taken although the status was good; "" if it was taken."""
    try:
        said = json.loads(answer)
    except ValueError:
        return "", False
    if not isinstance(said, dict) or said.get("success", True):
        return "", False
    return str(said.get("error") or "an error"), False
