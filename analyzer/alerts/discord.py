"""Discord: a webhook of its own kind, with an embed.

discord.com/developers/docs/resources/webhook#execute-webhook, and for the longest texts
discord.com/developers/docs/resources/message#embed-object-embed-limits.
"""

from typing import Any

from analyzer.actions import Severity
from analyzer.alerts.alert import Alert, Destination

COLOURS = {Severity.INFO: 0x57F287, Severity.WARN: 0xFEE75C, Severity.ERROR: 0xED4245}
LONGEST_NAME, LONGEST_TITLE, LONGEST_TEXT, LONGEST_VALUE, MOST_FIELDS = 80, 256, 4096, 1024, 25


def body(alert: Alert, to: Destination) -> dict[str, Any]:
    """The message. Whatever others wrote mentions nobody."""
    fields = [
        {"name": title[:LONGEST_TITLE], "value": value[:LONGEST_VALUE], "inline": len(value) < 40}
        for title, value in alert.facts
        if value
    ]
    embed = {
        "title": alert.who[:LONGEST_TITLE],
        "description": alert.text[:LONGEST_TEXT],
        "color": COLOURS[alert.severity],
        "fields": fields[:MOST_FIELDS],
        "timestamp": alert.time.isoformat(),
    }
    return {"username": to.username[:LONGEST_NAME], "embeds": [embed], "allowed_mentions": {"parse": []}}


def address(text: str) -> str:
    """Without the `/slack` that Flagger appends: this is Discord's own format."""
    return text.removesuffix("/").removesuffix("/slack")
