"""Twenty thousand broken reviews; `make soak` sends a million."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.fuzz.laws import Answer, broken
from tests.fuzz.mutate import made
from tests.fuzz.run import WARM, fuzz
from tests.fuzz.seeds import reviews
from webhook import app, keys, stash
from webhook.decision import Decision, Kind
from webhook.divert import divert
from webhook.revision import canonical

SEED, COUNT, SHARES = "detour", 20_000, 4
EACH = COUNT // SHARES


@pytest.mark.parametrize("share", range(SHARES))
def test_whatever_is_sent_is_answered_by_the_laws_soon_and_leaves_nothing_behind(share: int) -> None:
    report = fuzz(SEED, range(share * EACH, (share + 1) * EACH))
    assert report.breaches == []
    assert report.count == EACH
    assert min(report.answers[200], report.answers[400]) > EACH / 5, "most are one kind: this would prove little"


def test_an_input_is_made_again_from_its_number() -> None:
    seeds = [canonical(each).encode() for each in reviews()]
    assert [made("a", number, seeds) for number in range(50)] == [made("a", number, seeds) for number in range(50)]
    assert made("a", 1, seeds) != made("b", 1, seeds)


def lets_everything_through(decision: Decision) -> Decision:
    return Decision(decision.kind, None, decision.keys, "", decision.revision)


def brings_history(decision: Decision) -> Decision:
    return Decision(decision.kind, decision.template, {**decision.keys, stash.HISTORY: "0" * 64}, decision.warning)


def leaves_a_promotion(decision: Decision) -> Decision:
    return Decision(decision.kind, decision.template, {**decision.keys, stash.PROMOTE: "go:"}, decision.warning)


def says_too_much(decision: Decision) -> Decision:
    return Decision(decision.kind, decision.template, decision.keys, "x" * 121, decision.revision)


def labels_wrongly(decision: Decision) -> Decision:
    return Decision(decision.kind, decision.template, {**decision.keys, stash.REVISION: "0000000000"})


def falls(_: Decision) -> Decision:
    raise KeyError


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        (lets_everything_through, "the primary changes"),
        (brings_history, "history was brought along"),
        (leaves_a_promotion, "a promotion is left lying there"),
        (says_too_much, "a warning is too long"),
        (labels_wrongly, "what waits does not prove itself"),
        (falls, "refused by status 500"),
    ],
)
def test_a_fault_of_the_webhook_is_found(
    monkeypatch: pytest.MonkeyPatch, fault: Callable[[Decision], Decision], complaint: str
) -> None:
    def faulty(*asked: Any) -> Decision:
        decision = divert(*asked)
        return fault(decision) if decision.kind is Kind.DIVERTED else decision

    monkeypatch.setattr(app, "divert", faulty)
    assert any(complaint in breach for breach in fuzz(SEED, range(100)).breaches)


def test_growth_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[list[int]] = []
    carried = keys.carried

    def hoarding(*asked: Any) -> keys.Keys:
        kept.extend([] for _ in range(50))
        return carried(*asked)

    monkeypatch.setattr(keys, "carried", hoarding)
    assert "more than at the beginning" in fuzz(SEED, range(WARM + 300)).breaches[-1]


def test_an_answer_to_another_request_is_found() -> None:
    assert "not to this request" in broken(b'{"request":{"uid":"1"}}', Answer(200, ANOTHER))


ANOTHER = b'{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"2","allowed":true}}'
