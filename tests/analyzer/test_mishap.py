"""The fault that tests ask for strikes where it should, and nowhere else."""

import signal
from collections.abc import Callable
from typing import Any

import pytest

from analyzer.kube.client import Client
from analyzer.kube.errors import Conflict
from analyzer.kube.mishap import Mishap
from analyzer.kube.resources import CANARY_POLICIES, LEASES, Resource

REVIEWS = Resource("authorization.k8s.io", "v1", "selfsubjectaccessreviews", "", namespaced=False)
BODY = {"metadata": {"name": "default"}}


class Answers:
    """An API server that accepts, or refuses with a conflict; it notes what reached it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.status = 201

    def param_serialize(self, method: str, path: str, **_: Any) -> tuple[str, str, None, None]:
        return method, path, None, None

    def call_api(self, method: str, *_: Any, **__: Any) -> "Answers":
        self.asked.append(method)
        return self

    def read(self) -> bytes:
        return b"{}"

    def getheaders(self) -> None:
        return None

    reason = "Conflict"


class Struck(Exception):
    """Instead of the signal."""


@pytest.fixture
def server() -> Answers:
    return Answers()


@pytest.fixture
def client(server: Answers) -> Callable[[str], Client]:
    def strike(_: signal.Signals) -> None:
        raise Struck

    def make(text: str) -> Client:
        mishap = Mishap.parse(text)
        mishap.strike = strike
        return Client(server, mishap)

    return make


def test_before_a_write_means_that_it_is_never_sent(server: Answers, client: Callable[[str], Client]) -> None:
    found = client("kill before 2")
    found.create(CANARY_POLICIES, BODY)
    with pytest.raises(Struck):
        found.create(CANARY_POLICIES, BODY)
    assert server.asked == ["POST"]


def test_after_a_write_means_that_it_is_stored_and_its_answer_unheard(
    server: Answers, client: Callable[[str], Client]
) -> None:
    with pytest.raises(Struck):
        client("kill after 1").create(CANARY_POLICIES, BODY)
    assert server.asked == ["POST"]


def test_reads_dry_runs_reviews_leases_and_what_was_refused_do_not_count(
    server: Answers, client: Callable[[str], Client]
) -> None:
    found = client("kill after 1")
    found.get(CANARY_POLICIES, None, "default")
    found.patch(CANARY_POLICIES, None, "default", [], dry_run=True)
    found.replace(LEASES, {"metadata": {"name": "detour-analyzer", "namespace": "detour"}})
    found.create(REVIEWS, BODY)
    server.status = 409
    with pytest.raises(Conflict):
        found.create(CANARY_POLICIES, BODY)
    assert len(server.asked) == 5


@pytest.mark.parametrize("text", ["", "kill", "kill after", "kill after 0", "kill around 1", "burn after 1"])
def test_what_is_no_mishap_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no mishap: kill or stop, before or after"):
        Mishap.parse(text)


def test_it_strikes_once_though_the_write_is_refused_and_tried_again(
    server: Answers, client: Callable[[str], Client]
) -> None:
    found = client("stop before 1")
    with pytest.raises(Struck):
        found.create(CANARY_POLICIES, BODY)
    server.status = 409
    with pytest.raises(Conflict):
        found.create(CANARY_POLICIES, BODY)


def test_without_one_nothing_strikes(server: Answers) -> None:
    for _ in range(3):
        Client(server).create(CANARY_POLICIES, BODY)
    assert len(server.asked) == 3
