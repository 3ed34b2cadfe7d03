"""Chats that are only pretended: each takes what its service's own documents say that it takes, and answers as it does.

Nothing here is imported from what is tested. Where each rule is from stands beside it.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

from analyzer.addresses import Addresses

LOOPBACK = Addresses.allowing("127.0.0.0/8")
Object = dict[str, Any]
Answer = tuple[int, bytes, dict[str, str]]


class Wrong(Exception):
    """What the service would refuse."""


def need(condition: object, problem: str) -> None:
    if not condition:
        raise Wrong(problem)


def only(found: Object, *known: str) -> None:
    need(not found.keys() - set(known), f"unknown: {sorted(found.keys() - set(known))}")


def slack(body: Object) -> None:
    """api.slack.com/messaging/webhooks, and for colour, fields, mrkdwn_in …/reference/messaging/attachments."""
    only(body, "channel", "username", "icon_emoji", "icon_url", "text", "attachments", "blocks")
    need(body.get("text") or body.get("attachments"), "no_text")
    need(body.get("channel") != "", "channel_not_found")
    for each in body["attachments"]:
        only(each, "color", "author_name", "fallback", "text", "mrkdwn_in", "fields", "ts", "title", "pretext")
        need(each["color"] in ("good", "warning", "danger") or each["color"].startswith("#"), "invalid_attachments")
        need(set(each["mrkdwn_in"]) <= {"pretext", "text", "fields"}, "invalid_attachments")
        need(isinstance(each["ts"], int) and isinstance(each["fallback"], str), "invalid_attachments")
        for row in each["fields"]:
            only(row, "title", "value", "short")
            need(isinstance(row["title"], str) and isinstance(row["value"], str), "invalid_attachments")
            need(isinstance(row["short"], bool), "invalid_attachments")


def adaptive_card(body: Object) -> None:
    """MicrosoftDocs/msteams-docs, connectors-using.md, "Send adaptive cards": the envelope; adaptivecards.io/explorer:
    TextBlock (text, color, size, weight, wrap), FactSet (facts of title and value)."""
    only(body, "type", "attachments")
    need(body["type"] == "message", 'the type must be "message"')
    for each in body["attachments"]:
        need(each["contentType"] == "application/vnd.microsoft.card.adaptive", "contentType")
        need(each.get("contentUrl") is None, "contentUrl")
        card = each["content"]
        need(card["type"] == "AdaptiveCard", "AdaptiveCard")
        need(card["$schema"] == "http://adaptivecards.io/schemas/adaptive-card.json", "$schema")
        need(tuple(map(int, card["version"].split("."))) <= (1, 5), "a version that Teams does not show")
        need(card["body"], "an empty card")
        for element in card["body"]:
            _element(element)


def _element(element: Object) -> None:
    if element["type"] == "FactSet":
        for fact in element["facts"]:
            only(fact, "title", "value")
            need(isinstance(fact["title"], str) and isinstance(fact["value"], str), "facts")
        return
    need(element["type"] == "TextBlock", f"unknown element {element['type']}")
    only(element, "type", "text", "color", "size", "weight", "wrap")
    need(isinstance(element["text"], str), "text")
    colours = ("Default", "Dark", "Light", "Accent", "Good", "Warning", "Attention")
    need(element.get("color", "Default") in colours, "color")
    need(element.get("size", "Default") in ("Default", "Small", "Medium", "Large", "ExtraLarge"), "size")
    need(element.get("weight", "Default") in ("Default", "Lighter", "Bolder"), "weight")


def message_card(body: Object) -> None:
    """MicrosoftDocs/msteams-docs, connectors-using.md, "Example connector message"; "Summary or Text is required" is
    what a connector says without (OfficeDev/outlook-dev-docs#423)."""
    only(body, "@type", "@context", "themeColor", "summary", "text", "title", "sections", "potentialAction")
    need(body["@type"] == "MessageCard", "@type")
    need(body["@context"].endswith("://schema.org/extensions"), "@context")
    need(body.get("summary") or body.get("text"), "Summary or Text is required.")
    need(len(body["themeColor"]) == 6 and int(body["themeColor"], 16) >= 0, "themeColor")
    for section in body["sections"]:
        only(section, "activityTitle", "activitySubtitle", "activityImage", "facts", "markdown", "text", "title")
        for fact in section["facts"]:
            only(fact, "name", "value")


def discord(body: Object) -> None:
    """discord.com/developers/docs/resources/webhook#execute-webhook and …/message#embed-object-embed-limits, and its
    OpenAPI document (IncomingWebhookRequestPartial: username of 1 to 80, 10 embeds)."""
    only(body, "content", "username", "avatar_url", "embeds", "allowed_mentions")
    need(body.get("content") or body.get("embeds"), "Cannot send an empty message")
    need(1 <= len(body["username"]) <= 80, "username")
    need(len(body["embeds"]) <= 10, "embeds")
    for embed in body["embeds"]:
        only(embed, "title", "description", "color", "fields", "timestamp", "url")
        need(isinstance(embed["color"], int) and 0 <= embed["color"] <= 0xFFFFFF, "color: a whole number")
        need(len(embed["title"]) <= 256 and len(embed["description"]) <= 4096, "too long")
        need(len(embed["fields"]) <= 25, "fields")
        datetime.fromisoformat(embed["timestamp"])
        for row in embed["fields"]:
            only(row, "name", "value", "inline")
            need(1 <= len(row["name"]) <= 256 and 1 <= len(row["value"]) <= 1024, "a field's length")
            need(isinstance(row["inline"], bool), "inline")
        texts = (embed["title"], embed["description"], *(row["name"] + row["value"] for row in embed["fields"]))
        need(sum(map(len, texts)) <= 6000, "more than 6000 characters")
    need(set(body["allowed_mentions"]["parse"]) <= {"roles", "users", "everyone"}, "allowed_mentions")


def rocket(body: Object) -> None:
    """developer.rocket.chat/apidocs/send-message: alias, emoji, channel, text, attachments with colour, and fields of
    short, title, value. A webhook takes the same names (docs.rocket.chat, Integrations)."""
    only(body, "channel", "alias", "emoji", "avatar", "text", "attachments")
    for each in body["attachments"]:
        only(each, "color", "author_name", "title", "text", "fields", "ts", "collapsed")
        datetime.fromisoformat(each["ts"])
        for row in each["fields"]:
            only(row, "short", "title", "value")


def gchat(body: Object) -> None:
    """developers.google.com/workspace/chat/api/reference/rest/v1/cards: cardsV2, each with cardId and card; a header
    needs a title; a section needs a widget; decoratedText has topLabel, text, wrapText."""
    only(body, "text", "cardsV2")
    for each in body["cardsV2"]:
        only(each, "cardId", "card")
        only(each["card"], "header", "sections", "name")
        only(each["card"]["header"], "title", "subtitle", "imageUrl", "imageType", "imageAltText")
        need(each["card"]["header"]["title"], "a header needs a title")
        for section in each["card"]["sections"]:
            need(section["widgets"], "a section must contain at least one widget")
            for widget in section["widgets"]:
                need(len(widget) == 1, "a widget is one thing")
                only(widget, "textParagraph", "decoratedText")
                only(widget.get("textParagraph", {}), "text")
                only(widget.get("decoratedText", {}), "topLabel", "text", "bottomLabel", "wrapText")


def anything(_: Object) -> None:
    """A plain webhook is whatever somebody wrote."""


@dataclass
class Service:
    """`check` raises Wrong; `good` and `bad` are its answers then; `first` are given before, one at each call."""

    check: Callable[[Object], None]
    good: Answer = (200, b"ok", {})
    bad: int = 400
    first: list[Answer] = field(default_factory=list)
    address: str = ""
    got: list[Object] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    arrived: Event = field(default_factory=Event)

    def answer(self, path: str, headers: dict[str, str], body: Object) -> Answer:
        """What is said to a request; what was taken is in `got`."""
        self.paths.append(path)
        self.headers.append(headers)
        if self.first:
            return self.first.pop(0)
        try:
            self.check(body)
        except (Wrong, KeyError, TypeError, ValueError) as error:
            self.refused.append(repr(error))
            return self.bad, str(error).encode(), {}
        self.got.append(body)
        self.arrived.set()
        return self.good


GOOD: dict[str, tuple[Callable[[Object], None], Answer]] = {
    "slack": (slack, (200, b"ok", {})),
    "workflow": (adaptive_card, (202, b"", {})),
    "connector": (message_card, (200, b"1", {})),
    "discord": (discord, (204, b"", {})),
    "rocket": (rocket, (200, b'{"success":true}', {})),
    "gchat": (gchat, (200, b'{"name":"spaces/A/messages/B"}', {})),
    "webhook": (anything, (200, b"", {})),
}
"""What each says when it has taken a message."""


@contextmanager
def pretending(name: str, *first: Answer) -> Iterator[Service]:
    """A service on a port of its own."""
    check, good = GOOD[name]
    service = Service(check, good, first=list(first))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, text, headers = service.answer(self.path, dict(self.headers), body)
            self.send_response(status)
            for key, value in {"Content-Length": str(len(text)), **headers}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.address = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
