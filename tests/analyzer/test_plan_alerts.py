"""What the state machine asks chats to be told: transitions and endings, each once, at Flagger's severities."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from analyzer.actions import Emit, Severity
from analyzer.hooks import Gate, Kind
from analyzer.metrics.verdict import Check, Result
from analyzer.status import Phase
from analyzer.wishes import Verb
from tests.analyzer.invariants import Write
from tests.analyzer.loop import Analyzer, Findings, Writing
from tests.analyzer.things import FAILED, NO_DATA, PASSED, SPEC, UNMEASURED, V2, V3
from tests.analyzer.world import World

LONG = 2000.0
INFO, WARN, ERROR = Severity


@dataclass
class Told(World):
    """A world that writes down which alerts are asked for."""

    alerts: list[tuple[Severity, str]] = field(default_factory=list)

    def take_effect(self, write: Write, writing: Writing, analyzer: Analyzer) -> Findings:
        """As it is carried out."""
        if isinstance(write, Emit) and write.alert:
            self.alerts.append((write.alert, write.text))
        return super().take_effect(write, writing, analyzer)

    @property
    def summary(self) -> list[tuple[Severity, str]]:
        """The severities, and the first two words of each."""
        return [(severity, " ".join(text.split()[:2])) for severity, text in self.alerts]


def shipped(**changes: object) -> Told:
    world = Told(**changes)  # type: ignore[arg-type]  # as `initialized` does
    world.settle()
    world.alerts.clear()
    world.divert(V2)
    return world


BEGUN = (INFO, "New revision")


def test_that_updates_are_diverted_from_now_on_is_told() -> None:
    world = Told()
    world.settle()
    world.run(LONG)
    assert world.summary == [(INFO, "Initialization done!")]


def test_a_good_version_is_told_of_at_its_beginning_and_at_its_end() -> None:
    world = shipped()
    world.run(LONG)
    assert world.phase() is Phase.SUCCEEDED
    assert world.summary == [BEGUN, (INFO, "Promotion completed!")]


@pytest.mark.parametrize(
    "trouble",
    [
        {"checks": FAILED},
        {"boots_in": 1e9},  # the readiness deadline, of which Flagger tells nobody
        {"checks": NO_DATA},
        {"primary_comes_up": False},
        {"refused": "a policy says no"},
        {"crashed": "container podinfod ended with 1"},
    ],
)
def test_however_an_update_fails_that_is_told_once_as_an_error(trouble: dict[str, object]) -> None:
    world = shipped(**trouble)
    world.run(LONG)
    assert world.phase() is Phase.FAILED
    assert world.summary == [BEGUN, (ERROR, "Canary failed!")]


def test_what_somebody_ended_on_purpose_is_no_error() -> None:
    aborted = shipped()
    aborted.run(8)
    aborted.ask(Verb.ABORT, V2)
    aborted.run(LONG)
    taken_back = shipped()
    taken_back.run(8)
    taken_back.stash = None
    taken_back.run(LONG)
    for world in (aborted, taken_back):
        assert world.summary == [BEGUN, (WARN, "Canary failed!")]


def test_a_newer_version_is_told_of_and_the_one_that_it_replaces_is_no_ending() -> None:
    world = shipped()
    world.run(8)
    world.divert(V3)
    world.run(LONG)
    assert world.summary == [BEGUN, BEGUN, (INFO, "Promotion completed!")]


def test_what_goes_past_its_analysis_is_told_as_a_warning() -> None:
    world = shipped(checks=FAILED)
    world.run(8)
    world.ask(Verb.PROMOTE, V2)
    world.run(LONG)
    assert world.summary == [BEGUN, (WARN, "Promoting podinfo.shop"), (INFO, "Promotion completed!")]


def waiting(kind: Kind, *, mute: bool) -> Told:
    gate = Gate("consent", "http://loadtester/gate/check", timeout=5, kind=kind, mute=mute)
    said = {kind: Check("consent", Result.WAITING, "waiting for approval consent", kind=kind)}
    return shipped(spec=replace(SPEC, gates=(gate,)), said=said)


@pytest.mark.parametrize("kind", [Kind.CONFIRM_ROLLOUT, Kind.CONFIRM_TRAFFIC_INCREASE, Kind.CONFIRM_PROMOTION])
def test_a_gate_that_waits_is_told_of_once_however_long_it_waits(kind: Kind) -> None:
    world = waiting(kind, mute=False)
    world.run(LONG)
    assert [alert for alert in world.summary if alert != BEGUN] == [(WARN, "Halt podinfo.shop")]


@pytest.mark.parametrize("kind", [Kind.CONFIRM_ROLLOUT, Kind.CONFIRM_TRAFFIC_INCREASE, Kind.CONFIRM_PROMOTION])
def test_a_gate_that_is_muted_is_not(kind: Kind) -> None:
    world = waiting(kind, mute=True)
    world.run(LONG)
    assert [alert for alert in world.summary if alert != BEGUN] == []


def test_a_single_failed_check_is_an_event_alone() -> None:
    world = shipped()
    world.run(8)
    world.checks = FAILED
    world.run(11)
    assert world.status.failed_checks == 1
    assert world.summary == [BEGUN]


def test_a_primary_that_is_down_and_gets_what_waits_is_told_as_a_warning() -> None:
    world = shipped()
    world.run(8)
    world.down_since = world.now - timedelta(seconds=61)
    world.run(LONG)
    assert (WARN, "Promoting at") in world.summary


def test_a_blip_of_what_measures_does_not_have_a_gate_that_waits_told_of_anew() -> None:
    world = waiting(Kind.CONFIRM_PROMOTION, mute=False)
    world.run(LONG)
    for check in (UNMEASURED, PASSED) * 3:
        world.checks = check
        world.run(30)
    assert [alert for alert in world.summary if alert != BEGUN] == [(WARN, "Halt podinfo.shop")]
