"""Who let something past Detour is an entry of the history like any other."""

from datetime import UTC, datetime

import pytest

from analyzer.status import Phase
from analyzer.stored import from_object
from analyzer.witness import entry
from tests.analyzer.objects import deployment
from webhook.revision import digest

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "said", ["let past by system:serviceaccount:shop:ci", "let past by system:serviceaccount:shop:ci: INC-42"]
)
def test_the_entry_names_who_it_was_and_what_runs_since(said: str) -> None:
    found = entry(said, deployment(), NOW)
    assert (found["by"], found["message"]) == ("system:serviceaccount:shop:ci", said)
    assert (found["revision"], found["images"]) == (digest(deployment()["spec"]["template"]), ["web:2"])


def test_a_status_with_such_an_entry_comes_to_rest() -> None:
    history = [entry("opted out by ann", deployment(), NOW)]
    status = from_object({"status": {"phase": "Waiting", "startTime": "2026-11-22T11:00:00Z", "history": history}})
    assert status.rest().ending is None


def test_the_ending_before_such_an_entry_still_counts() -> None:
    failed = {"revision": "2" * 64, "startTime": "2026-11-22T11:00:00.000000Z", "outcome": "Failed", "message": "slow"}
    history = [failed, entry("let past by ann", deployment(), NOW)]
    stored = {"phase": "Waiting", "revision": "2" * 64, "startTime": failed["startTime"], "history": history}
    assert from_object({"status": stored}).rest().phase is Phase.FAILED
