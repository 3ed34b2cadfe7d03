"""What `detour status`, `detour diff` and `detour history` show."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from analyzer.status import Ending, Outcome, Phase, Status
from detour.diff import difference
from detour.drawing import history_table, table, tree
from detour.picture import MISSING, SUSPENDED, UNMANAGED, Held, Step, picture_of
from detour.terminal import console
from tests.detour.objects import NOW, V1, V2, Object, application, canary, deployment

RUNS = Status(phase=Phase.INITIALIZED, guarded=True).begin(V2, V1, {"by": "ann", "images": ["web:2"]}, NOW)
AT_25 = replace(RUNS, weight=25, check_time=NOW, verdict=("success-rate 99.50 >= 99",))
ROUTE: Object = {
    "metadata": {
        "name": "web-canary",
        "annotations": {
            "nginx.ingress.kubernetes.io/canary": "true",
            "nginx.ingress.kubernetes.io/canary-weight": "25",
        },
    }
}
RUNNING = deployment("2")
RUNNING["metadata"]["annotations"]["detour.dev/digest"] = V2


def drawn(thing: Any) -> str:
    """As it is printed where nobody looks through a window."""
    window = console()
    with window.capture() as captured:
        window.print(thing)
    return captured.get()


def test_a_canary_in_flight_is_told_whole() -> None:
    found = application(deployment(diverted="2"), canary(AT_25), canary_deployment=RUNNING, routes=(ROUTE,))
    picture = picture_of(found)
    assert picture.step == Step(1, 2, 50)
    assert picture.canary
    assert picture.diverted
    assert picture.canary.revision == picture.diverted.revision == V2
    assert picture.next_check == NOW + timedelta(seconds=10)
    shown = drawn(tree(picture, NOW + timedelta(seconds=3)))
    for text in (
        "web (namespace shop) Progressing",
        "primary   web:1  2/2 available",
        f"diverted  web:2  revision {V2[:10]} by ann with kubectl-set",
        "canary    web:2  2/2 available",
        "Ingress web-canary  25 %",
        "weight 25 %, step 1 of 2, next 50 %, next check in 7 s",
        "checks, 0 failed so far, 3 end it",
        "success-rate 99.50 >= 99",
    ):
        assert text in shown
    assert json.loads(json.dumps(picture.as_json()))["nextCheck"] == "2026-11-22T12:00:10.000000Z"


def test_a_gate_that_waits_is_told_with_its_deadline_and_what_to_type() -> None:
    webhooks = [
        {"name": "ann", "type": "confirm-promotion", "deadline": "2h"},
        {"name": "bob", "type": "confirm-promotion", "deadline": "30m"},
        {"name": "cas", "type": "confirm-promotion", "deadline": "1m"},
        {"name": "ann", "type": "confirm-rollout", "deadline": "1m"},
    ]
    analysis = {"interval": "10s", "threshold": 3, "stepWeight": 25, "maxWeight": 50, "webhooks": webhooks}
    waits = replace(
        AT_25, phase=Phase.WAITING_PROMOTION, weight=50, gate="confirm-promotion ann, bob", gate_since=NOW,
        problem="waiting for promotion approval ann: ask her",
    )  # fmt: skip
    picture = picture_of(application(deployment(diverted="2"), canary(waits, analysis=analysis)))
    assert picture.held == Held("confirm-promotion ann, bob", NOW, NOW + timedelta(minutes=30))
    assert picture.step == Step(2, 2, None)
    shown = " ".join(drawn(tree(picture, NOW)).split())
    assert "waits at confirm-promotion ann, bob since 2026-11-22" in shown
    assert "kubectl detour approve web -n shop, or abort" in shown
    assert "waiting for promotion approval ann: ask her" in shown
    told = json.loads(json.dumps(picture.as_json()))["held"]
    assert told == {
        "gate": "confirm-promotion ann, bob",
        "since": "2026-11-22T12:00:00.000000Z",
        "until": "2026-11-22T12:30:00.000000Z",
    }


def test_iterations_are_told_instead_of_steps() -> None:
    analysis = {"interval": "10s", "threshold": 3, "iterations": 10}
    checked = replace(AT_25, weight=0, iterations=3)
    picture = picture_of(application(deployment(diverted="2"), canary(checked, analysis=analysis)))
    assert picture.step == Step(3, 10, 0, "iteration")
    assert "weight 0 %, iteration 3 of 10, next check in" in drawn(tree(picture, NOW))


def test_the_next_check_waits_until_no_query_sees_the_revision_before() -> None:
    window = [{"name": "x", "interval": "1m", "templateRef": {"name": "x"}}]
    analysis = {"interval": "10s", "threshold": 3, "stepWeight": 25, "maxWeight": 50, "metrics": window}
    clouded = replace(AT_25, quiet_since=NOW + timedelta(seconds=5))
    picture = picture_of(application(deployment(diverted="2"), canary(clouded, analysis=analysis)))
    assert picture.next_check == NOW + timedelta(seconds=65)


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (application(None, canary()), MISSING),
        (application(deployment(), None), UNMANAGED),
        (application(deployment(diverted="2"), canary(AT_25, suspend=True)), SUSPENDED),
        (application(deployment(diverted="2"), canary(replace(AT_25, problem="the gate says no"))), "the gate says no"),
        (
            application(deployment(diverted="2"), canary(replace(AT_25, ending=Ending(Outcome.FAILED, "errors")))),
            "on the way out: errors",
        ),
        (
            application(deployment(), canary(replace(AT_25, ending=Ending(Outcome.FAILED, "errors")).end(NOW))),
            "errors",
        ),
    ],
)
def test_what_is_waited_for_or_why_it_ended_is_said(found: Any, says: str) -> None:
    picture = picture_of(found)
    assert picture.message == says
    assert says in drawn(tree(picture, NOW))
    assert says in drawn(table([picture], namespaces=True))


def test_a_canary_that_cannot_be_carried_out_is_shown_all_the_same() -> None:
    broken = canary(AT_25, analysis={"interval": "soon"})
    picture = picture_of(application(deployment(diverted="2"), broken))
    assert (picture.step, picture.next_check, picture.weight) == (None, None, 25)


def test_routes_that_may_not_be_read_are_not_told_as_none() -> None:
    shown = drawn(tree(picture_of(application(deployment(), canary(), routes=None)), NOW))
    assert "you may not list Ingresses" in shown


def test_brackets_in_what_a_cluster_says_are_shown_as_they_are() -> None:
    told = replace(AT_25, problem="no [bold]markup[/bold] in /[x]")
    assert "no [bold]markup[/bold] in /[x]" in drawn(tree(picture_of(application(deployment(), canary(told))), NOW))


def test_the_history_says_when_what_whose_and_why() -> None:
    ended = replace(AT_25, ending=Ending(Outcome.FAILED, "too many errors")).end(NOW)
    heads, line = drawn(history_table(ended.history)).splitlines()
    assert heads.split() == ["ENDED", "REVISION", "IMAGES", "BY", "WITH", "OUTCOME", "MESSAGE", "CHECKS"]
    for text in (V2[:10], "web:2", "ann", "Failed", "too many errors", "success-rate 99.50 >= 99"):
        assert text in line


def test_the_difference_is_the_primarys_template_against_the_diverted_one() -> None:
    shown = difference(application(deployment(diverted="2"), canary(AT_25)))
    assert shown.splitlines()[:2] == [f"--- primary/web {V1[:10]}", f"+++ diverted/web {V2[:10]}"]
    assert "-  - image: web:1" in shown
    assert "+  - image: web:2" in shown


def test_during_a_promotion_the_difference_is_against_what_is_replaced() -> None:
    assert difference(application(deployment("2", previous="1"))) == difference(application(deployment(diverted="2")))
    assert difference(application(deployment())) == ""
