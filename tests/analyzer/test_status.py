"""What is stored is what was meant, and a tool that knows Flagger finds what it expects."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest

from analyzer.status import HISTORY_KEPT, REJECTED_KEPT, Ending, Outcome, Phase, Status
from analyzer.stored import FIELDS, from_object, to_object

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
V1, V2 = "1" * 64, "2" * 64


def progressing() -> Status:
    return Status(guarded=True).begin(V2, V1, {"images": ["podinfo:6.0.1"], "by": "ann"}, NOW)


def test_a_status_survives_being_stored() -> None:
    status = replace(
        progressing(),
        weight=20,
        failed_checks=1,
        check_time=NOW + timedelta(microseconds=5),
        ready_since=NOW,
        unrouted=NOW,
        ending=Ending(Outcome.FAILED, "success 50.00 < 99"),
        rejected=(V1,),
        terms="abc",
        waived="by alice",
        observed_wish="once",
        observed_generation=3,
        problem="halted",
        verdict=("success 50.00 < 99",),
    ).end(NOW)
    assert from_object({"status": to_object(status, {}, NOW)}) == replace(status, problem="")


def test_every_field_has_its_place_in_the_object() -> None:
    assert {field.name for field in fields(Status)} == FIELDS.keys() | {"phase", "guarded"}
    assert len({key for key, _ in FIELDS.values()}) == len(FIELDS)


@pytest.mark.parametrize(
    ("phase", "promoted"),
    [(Phase.INITIALIZED, "True"), (Phase.PROGRESSING, "Unknown"), (Phase.SUCCEEDED, "True"), (Phase.FAILED, "False")],
)
def test_the_promoted_condition_is_flaggers(phase: Phase, promoted: str) -> None:
    shown = to_object(replace(Status(), phase=phase), {}, NOW)
    condition = next(each for each in shown["conditions"] if each["type"] == "Promoted")
    assert (condition["status"], condition["reason"]) == (promoted, phase.value)


def test_a_cancelled_revision_is_failed_for_the_reason_cancelled() -> None:
    ended = replace(progressing(), ending=Ending(Outcome.CANCELLED, "taken back")).end(NOW)
    condition = to_object(ended, {}, NOW)["conditions"][0]
    assert (ended.phase, condition["reason"], condition["message"]) == (Phase.FAILED, "Cancelled", "taken back")


def test_a_condition_keeps_its_transition_time_while_it_does_not_change() -> None:
    first = to_object(progressing(), {}, NOW)
    second = to_object(replace(progressing(), weight=20), first, NOW + timedelta(minutes=1))
    assert second["conditions"][0]["lastTransitionTime"] == first["conditions"][0]["lastTransitionTime"]


def test_the_history_and_the_rejected_are_bounded() -> None:
    status = Status()
    for number in range(30):
        digest = f"{number:064x}"
        status = status.begin(digest, V1, {}, NOW)
        status = replace(status, ending=Ending(Outcome.FAILED, "no")).end(NOW)
    assert len(status.history) == HISTORY_KEPT
    assert len(status.rejected) == REJECTED_KEPT
    assert status.history[-1]["revision"] == status.rejected[-1] == f"{29:064x}"


def test_a_status_that_flagger_left_behind_is_read() -> None:
    status = from_object({"status": {"phase": "WaitingPromotion", "canaryWeight": 10, "lastAppliedSpec": "5d8f"}})
    assert status.phase is Phase.INITIALIZING


def test_what_flagger_has_in_flight_is_not_carried_on() -> None:
    status = from_object({"status": {"phase": "Progressing", "canaryWeight": 10, "lastAppliedSpec": "5d8f"}})
    assert status.phase is Phase.INITIALIZING


def test_times_of_a_clock_that_has_been_set_back_since_are_now() -> None:
    later = replace(progressing(), check_time=NOW + timedelta(hours=1), unrouted=NOW - timedelta(hours=1))
    assert later.at_most(NOW) == replace(later, check_time=NOW)


def test_at_rest_the_last_ending_counts_again() -> None:
    failed = replace(progressing(), ending=Ending(Outcome.CANCELLED, "taken back")).end(NOW)
    assert replace(failed, phase=Phase.PROGRESSING, ending=Ending(Outcome.POSTPONED, "cleaning up")).rest() == failed
    assert progressing().rest().phase is Phase.INITIALIZED
    assert replace(progressing(), guarded=False).rest().phase is Phase.INITIALIZING
