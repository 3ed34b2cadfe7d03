"""From a transition to a chat: what is stored, sent, and taken out again, over real connections."""

import pytest

from analyzer.actions import Severity
from analyzer.alerts.alert import Destination
from analyzer.kube.errors import ApiError
from tests.alerts.office import KEY, Office, subscription
from tests.alerts.services import Service, pretending


def texts(service: Service) -> list[str]:
    return [body["attachments"][0]["text"] for body in service.got]


def test_an_alert_arrives_with_what_it_is_about(office: Office, chat: Service) -> None:
    office.transition("New revision detected! Scaling up podinfo.test")
    entry = office.api.canary["status"]["alerts"][0]
    entry["facts"] = dict(sorted(entry["facts"].items()))  # as the API server gives it back
    office.begin()
    office.settled()
    (body,) = chat.got
    (attachment,) = body["attachments"]
    shown = {field["title"]: field["value"] for field in attachment["fields"]}
    assert attachment["author_name"] == "podinfo.test"
    assert [*shown.items()] == [
        ("Images", "podinfo:6.0.1"),
        ("By", "alice (kubectl-set)"),
        ("Revision", "0123456789"),
        ("Cluster", "prod-eu"),
    ]
    assert body["username"] == "detour"
    assert not office.api.told


def test_it_is_stored_with_the_transition_and_taken_out_when_it_has_arrived(office: Office) -> None:
    office.transition("Canary failed!", Severity.ERROR)
    (entry,) = office.waiting
    assert (entry["severity"], entry["to"]) == ("error", ["test/chat"])
    assert office.api.requests == ["status"]
    office.settled()
    assert not office.waiting
    assert office.api.canary["status"]["phase"] == "Progressing"
    assert office.api.requests == ["status", "get AlertProvider", "status"]


def test_it_is_sent_once_however_often_the_application_is_looked_at(office: Office, chat: Service) -> None:
    office.transition("Canary failed!")
    for _ in range(10):
        office.herald.settle(KEY)
    office.settled()
    office.settle()
    office.begin()
    office.settle()
    assert texts(chat) == ["Canary failed!"]


def test_several_arrive_in_the_order_in_which_they_were_told(office: Office, chat: Service) -> None:
    for number in range(5):
        office.transition(f"step {number}")
        office.settle()
    office.settled()
    assert texts(chat) == [f"step {number}" for number in range(5)]


def test_what_is_no_alert_is_not_stored(office: Office) -> None:
    office.transition("Advance podinfo.test canary weight 10", None)
    assert not office.waiting


def test_at_rest_nothing_is_asked(office: Office) -> None:
    office.settle()
    assert office.api.requests == []


def test_when_it_became_what_it_is_does_not_change_by_telling_it(office: Office) -> None:
    office.transition("Canary failed!")
    before = office.api.canary["status"]["lastTransitionTime"]
    office.settled()
    assert office.api.canary["status"]["lastTransitionTime"] == before


def test_it_works_by_flaggers_own_definition_of_canaries_too(office: Office, chat: Service) -> None:
    office.api.flaggers = True
    office.transition("Canary failed!", Severity.ERROR)
    assert "alerts" not in office.api.canary["status"]
    assert len(office.waiting) == 1
    office.begin()
    office.settled()
    assert texts(chat) == ["Canary failed!"]
    assert office.api.canary["status"]["phase"] == "Progressing"


class TestCrashes:
    def test_an_alert_of_a_process_that_died_before_sending_is_sent_by_the_next(
        self, office: Office, chat: Service
    ) -> None:
        office.transition("Canary failed!", Severity.ERROR)
        office.begin()
        office.settled()
        assert texts(chat) == ["Canary failed!"]

    def test_one_that_died_between_sending_and_storing_sends_it_twice_rather_than_never(
        self, office: Office, chat: Service
    ) -> None:
        office.transition("Canary failed!", Severity.ERROR)
        office.settle()
        assert office.touched.wait(20)
        office.api.dies_at_writes = 1
        with pytest.raises(ApiError):
            office.settle()
        assert office.waiting
        office.begin()
        office.settled()
        assert texts(chat) == ["Canary failed!", "Canary failed!"]

    def test_a_write_that_fails_is_made_up_for_without_sending_again(self, office: Office, chat: Service) -> None:
        office.transition("Canary failed!", Severity.ERROR)
        office.settle()
        assert office.touched.wait(20)
        office.api.dies_at_writes = 1
        with pytest.raises(ApiError):
            office.settle()
        office.settle()
        assert not office.waiting
        assert texts(chat) == ["Canary failed!"]


class TestSeverity:
    @pytest.mark.parametrize(
        ("least", "told"),
        [
            (None, ["info", "warn", "error"]),
            ("info", ["info", "warn", "error"]),
            ("warn", ["warn", "error"]),
            ("error", ["error"]),
        ],
    )
    def test_a_subscription_gets_its_severity_and_what_is_more_severe(
        self, office: Office, chat: Service, least: str | None, told: list[str]
    ) -> None:
        office.subscribe(subscription("chat", least))
        for severity in Severity:
            office.transition(severity.value, severity)
        office.settled()
        assert texts(chat) == told

    def test_of_two_subscriptions_to_one_provider_the_lower_severity_counts_and_it_is_told_once(
        self, office: Office, chat: Service
    ) -> None:
        office.subscribe(subscription("chat", "error"), subscription("chat", "info"))
        office.transition("info", Severity.INFO)
        office.transition("error", Severity.ERROR)
        office.settled()
        assert texts(chat) == ["info", "error"]


class TestDefaults:
    def test_a_canary_that_names_nobody_is_told_of_to_the_operators_chats(self, chat: Service) -> None:
        with pretending("workflow") as teams:
            defaults = {"slack": Destination("slack", chat.address), "msteams": Destination("msteams", teams.address)}
            office = Office(defaults)
            office.transition("Initialization done! podinfo.test")
            office.settled()
            assert texts(chat) == ["Initialization done! podinfo.test"]
            assert len(teams.got) == 1

    def test_one_that_names_somebody_is_not(self, chat: Service) -> None:
        with pretending("gchat") as own:
            office = Office({"slack": Destination("slack", chat.address)})
            office.provide("chat", type="gchat", address=own.address)
            office.subscribe(subscription("chat"))
            office.transition("Canary failed!", Severity.ERROR)
            office.settled()
            assert len(own.got) == 1
            assert not chat.got

    def test_without_anybody_nothing_is_stored(self) -> None:
        office = Office()
        office.transition("Canary failed!", Severity.ERROR)
        assert not office.waiting


def test_a_destination_that_is_away_keeps_no_other_waiting(office: Office, chat: Service) -> None:
    office.provide("away", type="rocket", address="http://127.0.0.1:1/hooks")
    office.subscribe(subscription("away"), subscription("chat"))
    office.transition("Canary failed!", Severity.ERROR)
    office.settle()
    assert office.touched.wait(20)
    office.settle()
    (entry,) = office.waiting
    assert entry["to"] == ["test/away"]
    assert texts(chat) == ["Canary failed!"]


def test_of_many_that_wait_the_oldest_goes(office: Office) -> None:
    for number in range(25):
        office.transition(f"step {number}")
    assert [entry["text"] for entry in office.waiting] == [f"step {number}" for number in range(5, 25)]


@pytest.mark.parametrize(
    ("name", "kind", "address"),
    [
        ("slack", "slack", "http://hooks.slack.com/services/T/B/x"),
        ("workflow", "msteams", "http://prod-1.westeurope.logic.azure.com/workflows/1/triggers/manual/paths/invoke"),
        ("connector", "msteams", "http://example.webhook.office.com/webhookb2/1/IncomingWebhook/2/3"),
        ("discord", "discord", "http://discord.com/api/webhooks/1/x"),
        ("rocket", "rocket", "http://chat.example/hooks/1/x"),
        ("gchat", "gchat", "http://chat.googleapis.com/v1/spaces/1/messages"),
        ("webhook", "webhook", "http://alerts.example/"),
    ],
)
def test_every_service_takes_what_it_is_sent(name: str, kind: str, address: str) -> None:
    """Each under a name of its own, by a proxy which in truth is the pretended service."""
    with pretending(name) as service:
        office = Office()
        office.provide("chat", type=kind, address=address, proxy=service.address)
        office.subscribe(subscription("chat"))
        office.transition("New revision detected! Scaling up podinfo.test")
        office.transition("Canary failed! Scaling down podinfo.test", Severity.ERROR)
        office.settled()
        assert service.refused == []
        assert service.paths == [address, address]
        assert len(service.got) == 2
        assert not office.api.told
