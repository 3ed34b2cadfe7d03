"""What counts as what, and the moving figures."""

import json

import pytest

from detour.demo.figures import FAULT, WINDOW, Answer, Step, Tally, Trial, out_of_turn, percentile, read, share_during

INFO = json.dumps({"hostname": "podinfo-7d9f-abcde", "version": "6.0.0"}).encode()


def good(at: float, pod: str = "podinfo-7d9f-abcde", version: str = "6.0.0", seconds: float = 0.01) -> Answer:
    return Answer(at, seconds, pod=pod, version=version)


def test_an_answer_says_which_pod_and_version_gave_it() -> None:
    answer = read(200, INFO, 1.0, 0.02)
    assert (answer.pod, answer.version, answer.failure, answer.from_canary) == (
        "podinfo-7d9f-abcde",
        "6.0.0",
        "",
        False,
    )


def test_a_500_with_the_bad_images_own_text_is_its_own_fault_and_comes_from_the_canary() -> None:
    answer = read(500, FAULT + b"\n", 1.0, 0.02)
    assert answer.fault
    assert answer.from_canary
    assert not answer.failure


@pytest.mark.parametrize(
    ("status", "body", "failure"),
    [
        (500, b"Internal Server Error", "status 500"),
        (200, FAULT, "200 with a body that is not podinfo's"),
        (502, FAULT, "status 502"),
        (503, b"no available server", "status 503"),
        (504, b"Gateway Timeout", "status 504"),
        (404, b"404 page not found", "status 404"),
        (301, b"", "status 301"),
        (200, b"<html>", "200 with a body that is not podinfo's"),
        (200, b"[]", "200 with a body that is not podinfo's"),
        (200, b"{}", "200 with a body that is not podinfo's"),
    ],
)
def test_everything_else_is_a_failed_request(status: int, body: bytes, failure: str) -> None:
    answer = read(status, body, 1.0, 0.02)
    assert answer.failure == failure
    assert not answer.fault


def test_every_request_is_counted_as_exactly_one_of_good_fault_and_failed() -> None:
    tally = Tally()
    for answer in (good(1), good(2, version="6.0.1"), Answer(3, 0.1, fault=True), Answer(4, 0.1, failure="status 502")):
        tally.add(answer)
    assert (tally.sent, tally.good, tally.faults, tally.failed) == (4, 2, 1, 1)
    assert tally.versions == {"6.0.0": 1, "6.0.1": 1}
    assert [answer.failure for answer in tally.failures] == ["status 502"]


def test_the_share_is_the_canarys_part_of_the_answers_its_own_faults_included() -> None:
    tally = Tally()
    for answer in (good(1), good(1), good(1, pod="podinfo-canary-5c-xyz12"), Answer(1, 0.1, fault=True)):
        tally.add(answer)
    assert tally.moving(1.0).share == 50.0


def test_the_primarys_pods_are_not_taken_for_the_canarys_when_both_run_the_new_version() -> None:
    tally = Tally()
    tally.add(good(1, pod="podinfo-6b7c-fghij", version="6.0.1"))
    assert tally.moving(1.0).share == 0.0


def test_the_success_rate_is_the_users_so_faults_and_failures_both_lower_it() -> None:
    tally = Tally()
    for answer in (good(1), good(1), Answer(1, 0.1, fault=True), Answer(1, 0.1, failure="status 503")):
        tally.add(answer)
    assert tally.moving(1.0).success == 50.0


def test_the_moving_figures_forget_what_is_older_than_the_window_and_the_account_does_not() -> None:
    tally = Tally()
    tally.add(Answer(0.0, 9.0, failure="status 502"))
    tally.add(good(WINDOW + 1, seconds=0.02))
    moving = tally.moving(WINDOW + 1)
    assert (moving.success, moving.per_second) == (100.0, 1 / WINDOW)
    assert moving.p99 == pytest.approx(20.0)
    assert tally.failed == 1


def test_without_answers_there_are_no_figures() -> None:
    moving = Tally().moving(10.0)
    assert (moving.share, moving.success, moving.p99) == (None, None, None)


def test_the_p99_of_a_hundred_values_is_the_ninety_ninth() -> None:
    assert percentile([float(value) for value in range(100, 0, -1)], 99) == 99.0
    assert percentile([7.0], 99) == 7.0


def test_the_share_of_a_step_leaves_out_the_time_in_which_the_route_settles() -> None:
    step = Step(40, 10.0, 15.0)
    assert share_during(step, canary=[10.5, 12.0, 16.0], primary=[10.1, 12.0, 13.0, 14.0, 15.1]) == 25.0
    assert share_during(step, canary=[10.5], primary=[]) is None


def test_answers_of_the_canary_while_its_weight_is_0_are_out_of_turn() -> None:
    trials = [Trial(10.0, 20.0), Trial(50.0)]
    assert out_of_turn([5.0, 8.9, 22.1, 48.0], trials) == 4
    assert out_of_turn([9.5, 15.0, 21.9, 49.5, 500.0], trials) == 0
    assert out_of_turn([1.0], []) == 1
