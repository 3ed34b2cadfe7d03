"""What the API server says to a replica that does not lead is told from other refusals, and not taken for an answer."""

from typing import Any

import pytest

from analyzer.kube.client import Client
from analyzer.kube.errors import Conflict, Fenced, Refused, from_status
from analyzer.policies import PAUSES, ensure_default

DENIED = (
    "canarypolicies.detour.dev \"default\" is forbidden: ValidatingAdmissionPolicy 'detour-leader' with binding "
    "'detour-leader' denied request: pod detour-1 does not lead, but detour-2"
)


def test_a_refusal_by_the_fence_is_no_refusal_of_what_was_asked() -> None:
    assert isinstance(from_status(403, "Forbidden", DENIED), Fenced)
    assert not isinstance(from_status(403, "Forbidden", DENIED), Refused)


def test_any_other_policys_refusal_is_one() -> None:
    said = DENIED.replace("detour-leader", "images")
    assert isinstance(from_status(403, "Forbidden", said), Refused)


class Deaf(Client):
    """An API server that has not heard of us yet, and hears after so many requests."""

    def __init__(self, hears_after: int, answer: Exception | None = None) -> None:
        self.left, self.answer, self.asked = hears_after, answer, 0

    def create_strictly(self, *_: Any) -> dict[str, Any]:
        self.asked += 1
        if self.asked <= self.left:
            raise from_status(403, "Forbidden", DENIED)
        if self.answer:
            raise self.answer
        return {}


@pytest.mark.parametrize("answer", [None, Conflict(409, "AlreadyExists", "it exists")])
def test_a_new_leader_waits_until_the_api_server_has_heard_of_it(answer: Exception | None) -> None:
    client, waited = Deaf(3, answer), list[float]()
    ensure_default(client, wait=waited.append)
    assert (client.asked, waited) == (4, list(PAUSES[:3]))


def test_one_of_whom_it_never_hears_does_not_lead() -> None:
    with pytest.raises(Fenced):
        ensure_default(Deaf(99), wait=lambda _: None)


def test_a_default_policy_that_is_refused_is_told_and_keeps_nobody_from_leading(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ensure_default(Deaf(0, Refused(400, "BadRequest", 'strict decoding error: unknown field "spec.analyses"')))
    assert "spec.analyses" in caplog.text
    assert "--default-policy" in caplog.text
