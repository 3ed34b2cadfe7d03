"""Slack: an incoming webhook, or `chat.postMessage` with a bot's token.

Attachments rather than blocks, since these alone have a colour: api.slack.com/reference/messaging/attachments. What is
escaped: api.slack.com/reference/surfaces/formatting#escaping. Answers: api.slack.com/messaging/webhooks#handling_errors
and, where the status is 200 whatever happened, the field `ok`: api.slack.com/web#responses.
"""

import json
from typing import Any

from analyzer.actions import Severity
from analyzer.alerts.alert import Alert, Destination

COLOURS = {Severity.INFO: "good", Severity.WARN: "warning", Severity.ERROR: "danger"}
CHANNEL = "general"
"""Where a bot writes that was not told where: Flagger's default."""
BUSY = ("ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout")


def body(alert: Alert, to: Destination) -> dict[str, Any]:
    """The message. An incoming webhook has a channel of its own."""
    text = escaped(alert.text)
    attachment = {
        "color": COLOURS[alert.severity],
        "author_name": alert.who,
        "fallback": f"{alert.who}: {text}",
        "text": text,
        "mrkdwn_in": ["text"],
        "fields": [{"title": title, "value": escaped(value), "short": len(value) < 40} for title, value in alert.facts],
        "ts": int(alert.time.timestamp()),
    }
    channel = to.channel or (CHANNEL if to.token else "")
    return {
        **({"channel": channel} if channel else {}),
        "username": to.username,
        "icon_emoji": ":rocket:",
        "attachments": [attachment],
    }


def escaped(text: str) -> str:
    """Nothing that others wrote may mention a channel or hide a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def complaint(answer: bytes) -> tuple[str, bool]:
    """Why a message was not taken although the status was good, and whether it may be later; "" if it was taken."""
    try:
        said = json.loads(answer)
    except ValueError:
        return "", False  # an incoming webhook says "ok"
    if not isinstance(said, dict) or said.get("ok", True):
        return "", False
    error = str(said.get("error") or "an error")
    return error, error in BUSY
