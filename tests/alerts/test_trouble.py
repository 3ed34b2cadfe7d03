"""Chats that are away, busy, or refuse; references that lead nowhere; and how that is told."""

from datetime import UTC, datetime, timedelta

import pytest

from analyzer import courier, telemetry
from analyzer.actions import Severity
from analyzer.alerts import herald
from tests.alerts.office import KEY, Office, subscription
from tests.alerts.services import Answer, Service, pretending

BUSY: Answer = (429, b"rate_limited", {"Retry-After": "0"})
BROKEN: Answer = (503, b"", {})


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses as short as a test wants them."""
    monkeypatch.setattr(courier, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(courier, "LONGEST_PAUSE", 0.02)


def counted(result: str) -> float:
    return telemetry.REGISTRY.get_sample_value("detour_alerts_total", {"result": result}) or 0.0


def test_a_busy_or_broken_service_is_asked_again_until_it_takes_it(office: Office, chat: Service) -> None:
    chat.first = [BUSY, BROKEN, BUSY]
    again, arrived = counted("again"), counted("arrived")
    office.transition("Canary failed!", Severity.ERROR)
    office.settled()
    assert (len(chat.paths), len(chat.got)) == (4, 1)
    assert (counted("again") - again, counted("arrived") - arrived) == (3, 1)
    assert not office.api.told


def test_one_that_takes_long_is_told_of_once(office: Office, chat: Service) -> None:
    chat.first = [BROKEN] * 8
    office.transition("Canary failed!", Severity.ERROR)
    office.settled()
    assert office.api.told == ["An alert waits for test/chat: it answers 503 Service Unavailable"]


def test_what_is_refused_is_given_up_at_once_and_an_event_says_why(office: Office, chat: Service) -> None:
    missed = counted("missed")
    chat.first = [(404, b"no_service", {})]
    office.transition("Canary failed!", Severity.ERROR)
    office.settled()
    assert office.api.told == [
        "An alert was not sent to test/chat: it answers 404 no_service; check the address: Canary failed!"
    ]
    assert counted("missed") - missed == 1
    assert not office.waiting


def test_one_that_is_an_hour_old_has_a_last_chance(
    office: Office, chat: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.transition("Canary failed!", Severity.ERROR)
    (entry,) = office.api.canary["status"]["alerts"]
    entry["time"] = (datetime.now(UTC) - timedelta(hours=3)).isoformat()
    monkeypatch.setattr(herald, "LAST_CHANCE", 0.1)
    chat.first = [BROKEN] * 1000
    office.begin()
    office.settled()
    assert len(chat.paths) >= 2
    assert "was not sent" in office.api.told[-1]


class TestReferences:
    def test_a_provider_that_comes_later_is_waited_for(self, office: Office, chat: Service) -> None:
        provider = office.api.providers.pop(("test", "chat"))
        office.transition("Canary failed!", Severity.ERROR)
        office.settle()
        office.api.providers["test", "chat"] = provider
        office.settled()
        assert len(chat.got) == 1

    def test_one_that_is_missing_is_told_of_as_soon_as_the_canary_is_written(self, office: Office) -> None:
        office.subscribe(subscription("chat"), subscription("chad"), generation=2)
        office.herald.check(KEY)
        (told,) = office.api.told
        assert told == (
            "Alerts cannot be sent to test/chad: spec.analysis.alerts[].providerRef of test/chad: there is no "
            "AlertProvider chad in namespace test; create it, or correct the name"
        )

    def test_that_is_told_once(self, office: Office) -> None:
        office.subscribe(subscription("chad"))
        office.api.canary["status"]["observedGeneration"] = 1
        office.begin()
        office.herald.check(KEY)
        assert not office.api.told
        assert not office.api.requests

    def test_one_of_another_namespace_is_used_where_the_operator_shares_that(self, chat: Service) -> None:
        office = Office(shared=frozenset({"ops"}))
        office.provide("chat", "ops", type="slack", secretRef={"name": "hook"})
        office.hide("hook", "ops", address=chat.address)
        office.subscribe(subscription("chat", namespace="ops"))
        office.transition("Canary failed!", Severity.ERROR)
        office.settled()
        assert len(chat.got) == 1

    def test_one_of_another_namespace_is_refused_where_he_does_not(self, chat: Service) -> None:
        office = Office()
        office.provide("chat", "ops", type="slack", address=chat.address)
        office.subscribe(subscription("chat", namespace="ops"), generation=2)
        office.herald.check(KEY)
        assert "namespace ops is not test, and does not share its AlertProviders" in office.api.told[0]
        assert "--allow-references-to=ops" in office.api.told[0]
        office.transition("Canary failed!", Severity.ERROR)
        office.settle()
        assert not chat.paths

    def test_a_default_that_is_gone_is_not_taken_for_a_provider(self, office: Office, chat: Service) -> None:
        office.transition("Canary failed!", Severity.ERROR)
        office.api.canary["status"]["alerts"][0]["to"] = ["slack"]
        office.begin()
        office.settle()
        assert not chat.paths


class TestSecrets:
    def test_the_secrets_address_and_token_are_used(self, office: Office, chat: Service) -> None:
        office.provide("chat", type="slack", secretRef={"name": "hook"}, channel="ops", username="canaries")
        office.hide("hook", address=f"{chat.address}/api/chat.postMessage\n", token="xoxb-1")
        office.transition("Canary failed!", Severity.ERROR)
        office.settled()
        assert chat.paths == ["/api/chat.postMessage"]
        assert chat.headers[0]["Authorization"] == "Bearer xoxb-1"
        assert (chat.got[0]["channel"], chat.got[0]["username"]) == ("ops", "canaries")

    @pytest.mark.parametrize(
        ("data", "said"),
        [
            (None, "Secret hook is not in namespace test"),
            ({"url": "https://hooks.slack.com/x"}, "Secret hook has no key address"),
            ({"address": "https://hooks.slack.com/x", "token": "a b"}, "the token in Secret hook has impossible"),
            (
                {"address": "hooks.slack.com/services/s3cret"},
                "spec.address of AlertProvider test/chat: it is no address",
            ),
        ],
    )
    def test_what_is_wrong_with_one_is_told_without_showing_it(
        self, office: Office, data: dict[str, str] | None, said: str
    ) -> None:
        office.provide("chat", type="slack", secretRef={"name": "hook"})
        if data:
            office.hide("hook", **data)
        office.subscribe(subscription("chat"), generation=2)
        office.herald.check(KEY)
        (told,) = office.api.told
        assert said in told
        assert "s3cret" not in told

    def test_one_that_may_not_be_read_is_told_of(self, office: Office) -> None:
        office.provide("chat", type="slack", secretRef={"name": "hook"})
        office.api.forbidden = True
        office.subscribe(subscription("chat"), generation=2)
        office.herald.check(KEY)
        assert "secrets 'hook' is forbidden" in office.api.told[0]


class TestAddresses:
    @pytest.mark.parametrize("address", ["http://169.254.169.254/latest", "http://[fe80::1]/"])
    def test_what_gates_may_not_call_is_not_told_either(self, office: Office, address: str) -> None:
        office.provide("chat", type="webhook", address=address)
        office.transition("Canary failed!", Severity.ERROR)
        office.settle()
        assert "where clouds keep credentials and may not be called" in office.first_told()

    def test_an_unknown_service_is_named(self, office: Office) -> None:
        office.provide("chat", type="pager", address="https://pager.example")
        office.subscribe(subscription("chat"), generation=2)
        office.herald.check(KEY)
        assert "'pager' is no service that this version of Detour has; use slack, msteams" in office.api.told[0]


class TestProxies:
    def test_an_alert_goes_by_the_providers_proxy(self, office: Office) -> None:
        with pretending("webhook") as proxy:
            address = "http://chat.example.invalid/hook"
            office.provide("chat", type="webhook", address=address, proxy=proxy.address)
            office.transition("Canary failed!", Severity.ERROR)
            office.settled()
            assert proxy.paths == [address]
            assert proxy.got[0]["message"] == "Canary failed!"

    def test_what_a_secret_has_goes_by_no_proxy_that_could_read_it(self, office: Office, chat: Service) -> None:
        office.provide("chat", type="slack", secretRef={"name": "hook"}, proxy="http://proxy.example:3128")
        office.hide("hook", address=chat.address)
        office.subscribe(subscription("chat"), generation=2)
        office.herald.check(KEY)
        assert "would be read on the way, since the address there is not https" in office.api.told[0]

    def test_a_proxys_address_is_judged_like_any(self, office: Office, chat: Service) -> None:
        office.provide("chat", type="slack", address=chat.address, proxy="http://169.254.169.254:3128")
        office.transition("Canary failed!", Severity.ERROR)
        office.settle()
        assert "169.254.169.254 is where clouds keep credentials" in office.first_told()
        assert not chat.paths
