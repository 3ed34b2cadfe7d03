"""A chat to be told, and an office that tells it."""

from collections.abc import Iterator

import pytest

from tests.alerts.office import Office, subscription
from tests.alerts.services import Service, pretending


@pytest.fixture
def chat() -> Iterator[Service]:
    with pretending("slack") as service:
        yield service


@pytest.fixture
def office(chat: Service) -> Office:
    """A Canary with one subscription, to a chat of its own namespace."""
    office = Office()
    office.provide("chat", type="slack", address=chat.address)
    office.subscribe(subscription("chat"))
    return office
