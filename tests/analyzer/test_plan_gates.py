"""Gates in the state machine: they are asked before anything is measured, and hold back or fail the canary."""

from dataclasses import replace

from analyzer.hooks import Gate, Kind
from analyzer.metrics.verdict import Check, Result
from analyzer.status import Phase
from tests.analyzer.things import FAILED, GATED, OPEN, SHUT, SILENT, SPEC, V1
from tests.analyzer.world import World, shipped

LONG = 200.0


def gated(**changes: object) -> World:
    return shipped(spec=GATED, **changes)


def test_a_gate_is_called_as_the_first_weight_begins_and_at_every_check() -> None:
    world = gated()
    world.run(LONG)
    assert world.phase() is Phase.SUCCEEDED
    assert world.called == 1 + 3
    assert world.told.index("Starting canary analysis for podinfo.shop") > 0
    assert world.breaches == []


def test_a_gate_costs_no_time() -> None:
    held_up, free = gated(), shipped()
    for world in (held_up, free):
        world.run(LONG)
    assert held_up.status.history[-1]["endTime"] == free.status.history[-1]["endTime"]


def test_a_canary_whose_gate_says_no_gets_no_traffic_and_fails() -> None:
    gates = (Gate("smoke-test", "http://loadtester/", timeout=5, kind=Kind.PRE_ROLLOUT),)
    world = shipped(spec=replace(SPEC, gates=gates), said={Kind.PRE_ROLLOUT: SHUT})
    world.run(LONG)
    assert world.phase() is Phase.FAILED
    assert not any(world.weights)
    assert "Halt podinfo.shop advancement external check load-test failed Forbidden" in world.told
    assert world.ran == [V1]


def test_a_gate_that_says_no_in_mid_analysis_fails_the_canary() -> None:
    world = gated()
    world.run(8)
    assert world.status.weight == 20
    world.gate = SHUT
    world.run(LONG)
    assert world.phase() is Phase.FAILED
    assert world.ran == [V1]


def test_a_gate_that_cannot_be_called_halts_and_the_canary_goes_on_when_it_can() -> None:
    world = gated(gate=SILENT)
    world.run(25)
    assert (world.phase(), world.status.weight, world.status.failed_checks) == (Phase.PROGRESSING, 20, 0)
    assert world.status.problem == SILENT.text
    assert f"Halt podinfo.shop advancement {SILENT.text}" in world.told
    world.gate = OPEN
    world.run(LONG)
    assert world.phase() is Phase.SUCCEEDED


def test_a_gate_that_never_answers_fails_the_canary_at_its_progress_deadline() -> None:
    world = gated(gate=SILENT)
    world.run(LONG)
    assert world.phase() is Phase.FAILED
    assert "exceeded its progress deadline" in world.told[-1]


def test_an_open_gate_proves_nothing_about_the_metrics() -> None:
    world = gated(checks=FAILED)
    world.run(LONG)
    assert world.phase() is Phase.FAILED
    assert world.ran == [V1]


def test_a_suite_may_take_longer_than_the_progress_deadline_if_its_timeout_is_longer() -> None:
    suite = Gate("suite", "http://loadtester/", timeout=900, kind=Kind.PRE_ROLLOUT)
    world = shipped(spec=replace(SPEC, gates=(suite,)), answers=False)
    world.run(800)
    assert (world.phase(), world.status.ending) == (Phase.PROGRESSING, None)
    world.run(300)
    assert world.phase() is Phase.FAILED
    assert "no check is answered" in world.told[-1]


def test_what_is_passed_before_the_first_weight_is_not_run_again_while_a_person_thinks() -> None:
    gates = tuple(
        Gate(kind.value, "http://loadtester/", timeout=5, kind=kind)
        for kind in (Kind.PRE_ROLLOUT, Kind.CONFIRM_TRAFFIC_INCREASE)
    )
    waits = Check("ann", Result.WAITING, "waiting for traffic increase approval ann")
    world = shipped(spec=replace(SPEC, gates=gates), said={Kind.CONFIRM_TRAFFIC_INCREASE: waits})
    world.run(LONG)
    assert (world.phase(), world.status.weight, world.called) == (Phase.PROGRESSING, 0, 1)
    world.said = {}
    world.run(LONG)
    assert (world.phase(), world.called, world.breaches) == (Phase.SUCCEEDED, 1, [])


def test_each_gate_that_is_behind_is_told_in_flaggers_words() -> None:
    kinds = (Kind.PRE_ROLLOUT, Kind.CONFIRM_ROLLOUT, Kind.CONFIRM_TRAFFIC_INCREASE, Kind.CONFIRM_PROMOTION)
    gates = tuple(Gate("ann", "http://loadtester/", timeout=5, kind=kind) for kind in kinds)
    said = {kind: Check("ann", Result.PASSED, f"{kind} check ann passed") for kind in kinds}
    world = shipped(spec=replace(SPEC, gates=gates), said=said)
    world.run(LONG)
    assert [text for text in world.told if text.endswith("check ann passed")] == [
        "Confirm-rollout check ann passed",
        "Pre-rollout check ann passed",
        *["Confirm-traffic-increase check ann passed"] * 3,
        "Confirm-promotion check ann passed",
    ]
