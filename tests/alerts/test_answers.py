"""What the answers of services mean: taken, to be tried again, or never to be taken."""

from datetime import UTC, datetime

import pytest

from analyzer.alerts.service import LONGEST_WAIT, SERVICES, judged
from analyzer.courier import Arrived, Later, Never
from analyzer.web import Answer

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def answer(status: int, body: bytes = b"", **headers: str) -> Answer:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return Answer(status, "", body, redirects=status in (301, 302, 307, 308), headers=named)


@pytest.mark.parametrize("kind", list(SERVICES))
@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_every_good_status_is_a_yes(kind: str, status: int) -> None:
    assert judged(kind, answer(status), NOW) == Arrived()


@pytest.mark.parametrize("kind", list(SERVICES))
@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_service_that_is_busy_or_broken_is_tried_again(kind: str, status: int) -> None:
    assert isinstance(judged(kind, answer(status), NOW), Later)


@pytest.mark.parametrize(
    ("status", "body"),
    # api.slack.com/messaging/webhooks#handling_errors
    [(400, b"invalid_payload"), (403, b"action_prohibited"), (404, b"no_service"), (410, b"channel_is_archived")],
)
def test_what_is_refused_for_a_reason_is_not_tried_again_and_the_reason_is_told(status: int, body: bytes) -> None:
    outcome = judged("slack", answer(status, body), NOW)
    assert outcome == Never(f"it answers {status} {body.decode()}; check the address")


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("30", 30.0),
        ("0.65", 0.65),  # discord.com/developers/docs/topics/rate-limits
        ("Mon, 23 Nov 2026 08:01:00 GMT", 60.0),  # RFC 9110, 10.2.3
        ("Mon, 23 Nov 2026 07:00:00 GMT", 0.0),
        ("86400", LONGEST_WAIT),
        ("-5", 0.0),
        ("soon", None),
        ("nan", None),
        ("", None),
    ],
)
def test_it_is_tried_again_when_the_service_asks_for_it(asked: str, seconds: float | None) -> None:
    outcome = judged("discord", answer(429, b"{}", Retry_After=asked), NOW)
    assert isinstance(outcome, Later)
    assert outcome.seconds == seconds


def test_slacks_bot_interface_says_no_under_a_good_status() -> None:
    # api.slack.com/web#responses
    assert judged("slack", answer(200, b'{"ok":true}'), NOW) == Arrived()
    refused = judged("slack", answer(200, b'{"ok":false,"error":"channel_not_found"}'), NOW)
    assert refused == Never("it answers channel_not_found")
    busy = judged("slack", answer(200, b'{"ok":false,"error":"ratelimited"}', Retry_After="7"), NOW)
    assert busy == Later("it answers ratelimited", 7.0)


def test_a_connector_of_teams_that_is_throttled_says_so_under_a_good_status() -> None:
    # MicrosoftDocs/msteams-docs, connectors-using.md, "Rate limiting for connectors": "Connectors do not throw 429s"
    said = (
        b"Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 with ContextId x"
    )
    assert judged("msteams", answer(200, b"1"), NOW) == Arrived()
    assert isinstance(judged("msteams", answer(200, said), NOW), Later)
    other = said.replace(b"429", b"413")
    assert isinstance(judged("msteams", answer(200, other), NOW), Never)


def test_rocket_chat_says_no_under_a_good_status() -> None:
    assert judged("rocket", answer(200, b'{"success":true}'), NOW) == Arrived()
    assert judged("rocket", answer(200, b'{"success":false,"error":"invalid-channel"}'), NOW) == Never(
        "it answers invalid-channel"
    )


def test_a_redirection_is_not_followed_and_said() -> None:
    outcome = judged("gchat", answer(302), NOW)
    assert isinstance(outcome, Never)
    assert "redirects" in outcome.why


def test_what_a_service_says_is_shown_as_one_short_line() -> None:
    outcome = judged("webhook", answer(400, b"\x1b[31mno\n" + b"x" * 4000), NOW)
    assert isinstance(outcome, Never)
    assert outcome.why.isprintable()
    assert len(outcome.why) < 300
