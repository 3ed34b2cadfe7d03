"""How answers are sorted and counted, and how shares are taken of them."""

import json

import pytest

from tests.bench.answers import Answer, between, highest_share, percentile, read, share, tally
from tests.bench.shares import after_the_last, at_each_step, steps
from tests.bench.timeline import ENDING, Choice, Moment, living, story
from tests.bench.updates import PLAIN, PROMOTION, REQUESTS, ROLLBACK, Account, Run, _over, compare

BODY = json.dumps({"hostname": "podinfo-canary-1", "version": "6.0.1", "message": "shop"}).encode()


def answer(at: float, pod: str = "podinfo-1", failure: str = "") -> Answer:
    return Answer(int(at * 10), at, 0.001, 0.01, True, "" if failure else pod, "6.0.0", failure)


def moment(at: float, kind: str, name: str, *values: str, event: str = "MODIFIED") -> Moment:
    return Moment(at, kind, "shop", name, event, values)


def pod(at: float, name: str, ready: str = "True", told: str = "<none>", event: str = "MODIFIED") -> Moment:
    return moment(at, "pod", name, "10.0.0.7", ready, told, event=event)


@pytest.mark.parametrize(
    ("status", "body", "failure"),
    [
        (200, BODY, ""),
        (503, BODY, "status 503"),
        (302, BODY, "status 302"),
        (200, BODY.replace(b"shop", b"other"), "answered by another application"),
        (200, b"hello", "2xx with a body that is not podinfo's"),
        (200, b"[]", "2xx with a body that is not podinfo's"),
    ],
)
def test_only_a_good_answer_of_the_right_application_counts(status: int, body: bytes, failure: str) -> None:
    assert read(status, body, "shop").failure == failure


def test_what_was_sent_is_what_succeeded_and_what_failed() -> None:
    counted = tally([answer(0), answer(1, "podinfo-canary-1"), answer(2, failure="status 502")])
    assert (counted.sent, len(counted.failed), counted.canary) == (3, 1, 1)
    assert counted.versions == {"6.0.0": 2}


def test_a_percentile_is_one_of_the_values() -> None:
    assert [percentile(range(1, 101), percent) for percent in (50, 99, 100)] == [50, 99, 100]
    assert percentile([], 99) == 0


def test_a_request_is_of_the_time_in_which_it_was_begun() -> None:
    answers = [answer(3), answer(1), answer(1.995), answer(1.5, failure="cut off"), answer(0.5)]
    assert [found.at for found in between(answers, 1, 2)] == [1, 1.5, 1.995]


def test_a_primary_that_fails_is_no_overshoot_of_the_canary() -> None:
    answers = [answer(at, "podinfo-canary-1", "" if at % 2 else "cut off") for at in range(400)]
    assert share(answers) == 50
    assert highest_share(answers, 200) < 51


def test_an_overshoot_shows_however_short_it_is_beside_the_whole() -> None:
    calm = [answer(at / 10, "podinfo-canary-1" if at % 2 else "podinfo-1") for at in range(1000)]
    peak = [answer(100 + at / 10, "podinfo-canary-1" if at % 5 else "podinfo-1") for at in range(200)]
    assert 50 <= highest_share(calm, 200) < 51
    assert highest_share([*calm, *peak, *calm], 200) > 79
    assert share([*calm, *peak, *calm]) < 55
    assert highest_share(calm[:100], 200) == 0


def weights() -> list[Moment]:
    """Weights 5 to 50, ten seconds each, then the promotion."""
    route = [moment(10 * number, "ingress", "podinfo-canary", str(5 * number)) for number in range(1, 11)]
    repeated = moment(15, "ingress", "podinfo-canary", "5")
    primary = moment(1, "ingress", "podinfo", "<none>")
    gone = moment(120, "ingress", "podinfo-canary", "50", event="DELETED")
    return [
        primary,
        *sorted([*route, repeated], key=lambda each: each.at),
        moment(110, "canary", "podinfo", "Promoting", "50"),
        gone,
    ]


def test_a_step_lasts_until_the_next_weight_and_the_last_until_the_promotion() -> None:
    found = steps(weights())
    assert [weight for weight, _, _ in found] == list(range(5, 51, 5))
    assert all((begin, end) == (2 * weight, 2 * weight + 10) for weight, begin, end in found)


def users(extra: float = 0.0) -> list[Answer]:
    """A hundred a second, the canary answering as many as its weight says and `extra` percent more."""
    answers, owed = [], 0.0
    for number in range(1000, 12500):
        at = number / 100
        owed += (min(5 * (at // 10), 50) + extra) / 100
        canary = owed >= 1
        owed -= canary
        answers.append(answer(at, "podinfo-canary-1" if canary else "podinfo-1"))
    return answers


def test_shares_that_follow_the_weights_hold() -> None:
    assert at_each_step(users(), weights()).holds
    assert after_the_last(users(), weights()).holds


def test_shares_off_the_weights_do_not_hold() -> None:
    assert not at_each_step(users(extra=3), weights()).holds
    assert not after_the_last(users(extra=3), weights()).holds


def test_a_step_that_was_not_seen_does_not_hold() -> None:
    assert not at_each_step(users(), weights()[:-4]).holds
    assert not after_the_last(users(), []).holds


def test_the_pods_that_exist_are_known_from_what_happened() -> None:
    seen = [pod(1, "a", "False", event="ADDED"), pod(2, "b"), pod(3, "a"), pod(4, "b", event="DELETED")]
    assert living(seen) == {"a": True}


def test_a_failure_is_told_with_what_happened_to_its_pod() -> None:
    slice_ = moment(4, "endpointslice", "podinfo", "10.0.0.6,10.0.0.7", "true,false")
    ready = moment(1, "endpointslice", "podinfo", "10.0.0.6,10.0.0.7", "true,true")
    seen = [ready, moment(2, "canary", "podinfo", "Promoting", "50"), pod(3, "podinfo-1", told="now"), slice_]
    told = story(answer(5, failure="status 502"), Choice("10.0.0.7"), seen)
    assert told.changes == ((-4, "in its endpoints"), (-2, ENDING), (-1, "out of its endpoints"))
    assert told.reason == "status 502, a pod of the primary that was ending"
    assert told.canary == "Canary Promoting 50"
    assert (
        "after another had not let itself" in story(answer(5, failure="cut off"), Choice("10.0.0.7", 7.4), seen).reason
    )
    assert story(answer(5, failure="cut off"), Choice(), seen).reason == "cut off, no pod chosen"


BEFORE = {"a": True}
REPLACED = [pod(1, "a"), pod(2, "b"), pod(3, "a", event="DELETED")]


def phase(at: float, name: str) -> Moment:
    return moment(at, "canary", "podinfo", name, "0")


@pytest.mark.parametrize(
    ("kind", "moments", "over"),
    [
        (PLAIN, [pod(1, "a"), pod(2, "b")], False),
        (PLAIN, [pod(1, "a"), pod(2, "b", "False"), pod(3, "a", event="DELETED")], False),
        (PLAIN, REPLACED, True),
        (PROMOTION, [*REPLACED, phase(1, "Progressing"), phase(2, "Promoting")], False),
        (PROMOTION, [*REPLACED, phase(1, "Progressing"), phase(3, "Succeeded")], True),
        (PROMOTION, [*REPLACED, phase(0, "Progressing"), phase(3, "Succeeded")], False),
        (ROLLBACK, [pod(1, "a"), phase(1, "Progressing"), phase(3, "Failed")], True),
        (ROLLBACK, [pod(1, "a"), pod(2, "c"), phase(1, "Progressing"), phase(3, "Failed")], False),
        (ROLLBACK, [pod(1, "a"), phase(1, "Failed")], False),
    ],
)
def test_an_update_is_over_when_only_pods_that_stay_are_left(kind: str, moments: list[Moment], over: bool) -> None:
    assert _over(kind, moments, BEFORE, asked=0.5) is over


def test_a_run_has_as_many_updates_whichever_its_kind() -> None:
    assert len({Run(200, careful, kind).updates for careful in (True, False) for kind in (PLAIN, ROLLBACK)}) == 1


def account(kind: str, failed: int, careful: bool = False, missed: int = 0) -> Account:
    run = Run(200, careful, kind)
    answers = [answer(number, failure="cut off" if number < failed else "") for number in range(REQUESTS)]
    return Account(run, tally(answers), run.updates - missed, 20.0, ())


def test_no_more_failures_than_a_plain_update_hold_and_one_more_does_not() -> None:
    plain = [account(PLAIN, 3), account(PLAIN, 5)]
    assert compare([account(PROMOTION, 6), account(PROMOTION, 2)], plain).holds
    assert not compare([account(PROMOTION, 6), account(PROMOTION, 3)], plain).holds


def test_a_careful_application_loses_no_request_at_all() -> None:
    plain = [account(PLAIN, 9, careful=True)]
    assert compare([account(PROMOTION, 0, careful=True)], plain).holds
    assert not compare([account(PROMOTION, 1, careful=True)], plain).holds


def test_an_update_that_was_not_over_under_traffic_proves_nothing() -> None:
    assert not compare([account(PROMOTION, 0, missed=1)], [account(PLAIN, 9)]).holds
    assert not compare([account(PROMOTION, 0)], [account(PLAIN, 9, missed=1)]).holds
