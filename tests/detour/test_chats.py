"""Where alerts of Canaries go that name nobody: by flags, or by the environment."""

import logging

import pytest

from analyzer.alerts.alert import Destination
from detour.options import Options
from tests.detour.test_options import chosen, refused

SLACK = "https://hooks.slack.com/services/T/B/x"
TEAMS = "https://example.webhook.office.com/webhookb2/x"


def test_without_any_nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_URL", "")  # as with a Secret that is not there
    assert chosen().chats.destinations == {}


def test_flaggers_flags_name_slack_and_teams() -> None:
    found = chosen(
        f"--slack-url={SLACK}",
        "--slack-user=canaries",
        "--slack-channel=ops",
        "--slack-proxy-url=http://proxy.example:3128",
        f"--msteams-url={TEAMS}",
        "--cluster-name=prod-eu",
    )
    assert found.chats.destinations == {
        "slack": Destination("slack", SLACK, "ops", "canaries", "", "http://proxy.example:3128"),
        "msteams": Destination("msteams", TEAMS),
    }
    assert found.chats.cluster_name == "prod-eu"


def test_so_do_flaggers_environment_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "SLACK_URL": f"{SLACK}\n",
        "SLACK_TOKEN": "xoxb-1",
        "SLACK_PROXY_URL": "http://proxy.example:3128",
        "MSTEAMS_URL": TEAMS,
        "MSTEAMS_PROXY_URL": "http://proxy.example:3129",
    }.items():
        monkeypatch.setenv(name, value)
    assert chosen().chats.destinations == {
        "slack": Destination("slack", SLACK, "", "detour", "xoxb-1", "http://proxy.example:3128"),
        "msteams": Destination("msteams", TEAMS, proxy="http://proxy.example:3129"),
    }


def test_a_wrong_flag_is_refused_without_being_shown() -> None:
    said = refused("--slack-url=hooks.slack.com/services/s3cret")
    assert "it is no address; write it like https://hooks.slack.com/services/" in said
    assert "s3cret" not in said


def test_a_wrong_secret_is_told_of_and_keeps_the_analyzer_from_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SLACK_URL", "hooks.slack.com/services/s3cret")
    with caplog.at_level(logging.ERROR):
        assert chosen().chats.destinations == {}
    assert "SLACK_URL: it is no address; no alerts are sent there" in caplog.text
    assert "s3cret" not in caplog.text


def test_a_token_goes_by_no_proxy_that_could_read_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SLACK_TOKEN", "xoxb-1")
    clear = ("--slack-url=http://chat.example/api/chat.postMessage", "--slack-proxy-url=http://proxy.example:3128")
    with caplog.at_level(logging.ERROR):
        assert chosen(*clear).chats.destinations == {}
    assert "SLACK_TOKEN: the proxy would read it, since the address is not https; no alerts" in caplog.text
    assert "xoxb-1" not in caplog.text
    assert chosen(clear[0]).chats.destinations.keys() == {"slack"}


def test_the_operators_own_addresses_may_be_called() -> None:
    found: Options = chosen("--slack-url=http://10.1.2.3/hook", "--slack-proxy-url=http://127.0.0.1:3128")
    assert not found.reach("detour").addresses.refusal("127.0.0.1", "127.0.0.1", 3128)
