"""Gates that a rollout waits at: who lets it through, what else goes on meanwhile, and how the waiting ends."""

from dataclasses import replace
from typing import Any

from analyzer.actions import Severity
from analyzer.hooks import Gate, Kind
from analyzer.metrics.verdict import Check, Result
from analyzer.plan import plan
from analyzer.status import Phase
from analyzer.strategy import Strategy
from analyzer.wishes import Verb
from tests.analyzer.things import FAILED, PASSED, SPEC, UNMEASURED, V1, V2, V3
from tests.analyzer.world import World, shipped

LONG, FOR_HOURS = 200.0, 3 * 3600.0
NOT_YET = Check("ask", Result.WAITING, "waiting for approval ask")
AWAY = Check("ask", Result.UNMEASURED, "external check ask cannot be called")
YES = Check("ask", Result.FAILED, "ask said yes")


def gated(kind: Kind, said: Check | None = NOT_YET, deadline: float | None = None, **changes: Any) -> World:
    gate = Gate("ask", "http://loadtester/gate/check", timeout=5, kind=kind, deadline=deadline)
    spec = replace(changes.pop("spec", SPEC), gates=(gate,))
    return shipped(spec=spec, said={} if said is None else {kind: said}, **changes)


def let_through(world: World) -> World:
    world.said = {}
    world.run(LONG)
    assert world.breaches == []
    assert (world.phase(), world.live) == (Phase.SUCCEEDED, V2)
    return world


class TestBeforeItBegins:
    def test_nothing_is_made_until_the_gate_consents(self) -> None:
        world = gated(Kind.CONFIRM_ROLLOUT)
        world.run(FOR_HOURS)
        assert (world.phase(), world.canary, world.service) == (Phase.WAITING, None, None)
        assert world.status.problem == NOT_YET.text
        assert world.told.count(f"Halt podinfo.shop advancement {NOT_YET.text}") == 1
        let_through(world)

    def test_a_person_may_consent_in_its_place(self) -> None:
        world = gated(Kind.CONFIRM_ROLLOUT)
        world.run(60)
        world.ask(Verb.APPROVE, V2)
        world.run(LONG)
        assert (world.phase(), world.live, world.breaches) == (Phase.SUCCEEDED, V2, [])

    def test_who_has_the_consent_waits_for_its_turn_and_nobody_is_asked_again(self) -> None:
        world = gated(Kind.CONFIRM_ROLLOUT, None, queued="queued, place 1")
        world.run(60)
        effects = world.effects
        world.run(FOR_HOURS)
        assert (world.phase(), world.status.problem, world.effects) == (Phase.WAITING, "queued, place 1", effects)
        world.said, world.queued = {Kind.CONFIRM_ROLLOUT: NOT_YET}, ""
        world.run(LONG)
        assert (world.phase(), world.live, world.breaches) == (Phase.SUCCEEDED, V2, [])

    def test_who_waits_for_its_turn_and_is_updated_has_to_be_consented_to_anew(self) -> None:
        world = gated(Kind.CONFIRM_ROLLOUT, None, queued="queued, place 1")
        world.run(60)
        world.said, world.queued = {Kind.CONFIRM_ROLLOUT: NOT_YET}, ""
        world.divert(V3)
        world.run(LONG)
        assert (world.phase(), world.canary, world.status.problem) == (Phase.WAITING, None, NOT_YET.text)

    def test_a_newer_revision_has_to_be_consented_to_itself(self) -> None:
        world = gated(Kind.CONFIRM_ROLLOUT, None)
        world.run(15)
        assert world.route
        world.said = {Kind.CONFIRM_ROLLOUT: NOT_YET}
        world.divert(V3)
        world.run(LONG)
        assert (world.phase(), world.canary, world.ran) == (Phase.WAITING, None, [V1])

    def test_what_is_taken_back_while_it_waits_waits_no_more(self) -> None:
        world = gated(Kind.CONFIRM_ROLLOUT)
        world.run(60)
        world.stash = None
        world.run(60)
        assert (world.phase(), world.status.gate, world.status.problem) == (Phase.INITIALIZED, "", "")

    def test_a_rollback_is_heard_while_it_waits(self) -> None:
        hooks = tuple(Gate("ask", "http://x/", 5, kind=kind) for kind in (Kind.CONFIRM_ROLLOUT, Kind.ROLLBACK))
        world = shipped(spec=replace(SPEC, gates=hooks), said={Kind.CONFIRM_ROLLOUT: NOT_YET})
        world.run(60)
        world.said[Kind.ROLLBACK] = YES
        world.run(60)
        assert (world.phase(), world.status.rejected, world.ran) == (Phase.FAILED, (V2,), [V1])
        assert "Rolling back podinfo.shop manual webhook invoked: ask" in world.told

    def test_its_deadline_rejects_what_waits(self) -> None:
        world = gated(Kind.CONFIRM_ROLLOUT, deadline=90)
        world.run(80)
        assert world.phase() is Phase.WAITING
        world.run(60)
        assert (world.phase(), world.status.rejected) == (Phase.FAILED, (V2,))

    def test_nobody_is_asked_about_the_fix_of_a_primary_that_is_down(self) -> None:
        world = gated(Kind.CONFIRM_ROLLOUT)
        world.run(20)
        world.down_since = world.now
        world.run(90)
        assert world.live == V2


class TestBeforeMoreTraffic:
    def test_the_weight_stays_until_the_gate_consents(self) -> None:
        world = gated(Kind.CONFIRM_TRAFFIC_INCREASE, None)
        world.run(8)
        assert world.route == 20
        world.said = {Kind.CONFIRM_TRAFFIC_INCREASE: NOT_YET}
        world.run(FOR_HOURS)
        assert (world.phase(), world.route, world.status.failed_checks) == (Phase.PROGRESSING, 20, 0)
        let_through(world)

    def test_one_word_of_a_person_is_for_one_step(self) -> None:
        world = gated(Kind.CONFIRM_TRAFFIC_INCREASE)
        world.run(LONG)
        assert not world.route
        world.ask(Verb.APPROVE, V2)
        world.run(LONG)
        assert (world.route, world.phase()) == (20, Phase.PROGRESSING)
        assert "Consent to confirm-traffic-increase ask given by alice: it is urgent" in world.told

    def test_a_persons_word_that_comes_too_late_for_one_gate_is_for_no_other(self) -> None:
        kinds = (Kind.CONFIRM_TRAFFIC_INCREASE, Kind.CONFIRM_PROMOTION)
        hooks = tuple(Gate(kind, "http://x/", 5, kind=kind) for kind in kinds)
        world = shipped(spec=replace(SPEC, gates=hooks), said=dict.fromkeys(kinds, NOT_YET))
        world.run(30)
        assert world.status.gate
        del world.said[Kind.CONFIRM_TRAFFIC_INCREASE]
        world.run(15, until=lambda world: not world.status.gate)
        world.ask(Verb.APPROVE, V2)
        world.run(LONG)
        assert (world.phase(), world.ran) == (Phase.WAITING_PROMOTION, [V1])

    def test_ab_tests_have_no_weight_to_consent_to(self) -> None:
        world = gated(Kind.CONFIRM_TRAFFIC_INCREASE, spec=replace(SPEC, strategy=Strategy(iterations=2)))
        world.run(LONG)
        assert world.phase() is Phase.SUCCEEDED


class TestBeforeThePromotion:
    def test_the_canary_keeps_its_share_until_the_gate_consents(self) -> None:
        world = gated(Kind.CONFIRM_PROMOTION)
        world.run(FOR_HOURS)
        assert (world.phase(), world.route, world.status.weight) == (Phase.WAITING_PROMOTION, 60, 60)
        assert world.ran == [V1]
        let_through(world)

    def test_a_person_may_consent_in_its_place(self) -> None:
        world = gated(Kind.CONFIRM_PROMOTION)
        world.run(LONG)
        world.ask(Verb.APPROVE, V2)
        world.run(30)
        assert (world.phase(), world.live, world.breaches) == (Phase.SUCCEEDED, V2, [])

    def test_metrics_that_fail_meanwhile_roll_back(self) -> None:
        world = gated(Kind.CONFIRM_PROMOTION)
        world.run(LONG)
        world.checks = FAILED
        world.run(LONG)
        assert (world.phase(), world.ran) == (Phase.FAILED, [V1])

    def test_a_persons_word_does_not_let_through_what_has_failed_since(self) -> None:
        world = gated(Kind.CONFIRM_PROMOTION, spec=replace(SPEC, threshold=100))
        world.run(LONG)
        world.checks = FAILED
        world.run(30)
        world.ask(Verb.APPROVE, V2)
        world.run(LONG)
        assert (world.ran, world.status.gate) == ([V1], "")

    def test_a_persons_word_waits_until_everything_else_is_known_to_be_well(self) -> None:
        world = gated(Kind.CONFIRM_PROMOTION)
        world.run(LONG)
        world.checks = UNMEASURED
        world.run(30)
        world.ask(Verb.APPROVE, V2)
        world.run(20)
        assert world.ran == [V1]
        world.checks = PASSED
        world.run(LONG)
        assert (world.phase(), world.live, world.breaches) == (Phase.SUCCEEDED, V2, [])

    def test_hours_at_the_gate_are_none_of_the_progress_deadline(self) -> None:
        world = gated(Kind.CONFIRM_PROMOTION)
        world.run(FOR_HOURS)
        world.checks = UNMEASURED
        world.run(30)
        assert world.status.ending is None

    def test_that_the_gate_cannot_be_called_is_no_failure_however_long(self) -> None:
        world = gated(Kind.CONFIRM_PROMOTION, AWAY)
        world.run(FOR_HOURS)
        assert (world.phase(), world.status.failed_checks) == (Phase.WAITING_PROMOTION, 0)
        let_through(world)

    def test_its_deadline_ends_the_rollout(self) -> None:
        world = gated(Kind.CONFIRM_PROMOTION, deadline=120)
        world.run(LONG)
        assert (world.phase(), world.ran) == (Phase.FAILED, [V1])
        assert world.status.ending
        assert world.status.ending.message == "confirm-promotion ask did not consent before its deadline"

    def test_with_blue_green_it_is_before_all_of_the_traffic_is_shifted(self) -> None:
        world = gated(Kind.CONFIRM_PROMOTION, spec=replace(SPEC, strategy=Strategy(iterations=2)))
        world.run(LONG)
        assert (world.phase(), any(world.weights)) == (Phase.WAITING_PROMOTION, False)
        let_through(world)

    def test_a_gate_whose_alerts_are_muted_alerts_nobody(self) -> None:
        for mute, alert in ((False, Severity.WARN), (True, None)):
            gate = Gate("ask", "http://x/", 5, kind=Kind.CONFIRM_PROMOTION, mute=mute)
            world = shipped(spec=replace(SPEC, gates=(gate,)))
            world.run(LONG, until=lambda world: world.status.weight == 60)
            check = replace(NOT_YET, kind=Kind.CONFIRM_PROMOTION)
            world.run(8)
            seen = replace(world.seen(), checks=(check,))
            later = world.status.check_time
            assert later
            planned = plan(world.spec, world.status, seen, later.replace(minute=later.minute + 1))
            assert [getattr(action, "alert", None) for action in planned.actions] == [alert]


class TestRollback:
    def test_a_yes_at_any_check_undoes_the_rollout(self) -> None:
        world = gated(Kind.ROLLBACK, None)
        world.run(8)
        world.said = {Kind.ROLLBACK: YES}
        world.run(LONG)
        assert (world.phase(), world.ran, world.status.rejected) == (Phase.FAILED, [V1], (V2,))
        assert "Rolling back podinfo.shop manual webhook invoked: ask" in world.told

    def test_a_yes_during_the_promotion_takes_it_back(self) -> None:
        world = gated(Kind.ROLLBACK, None, primary_comes_up=False)
        world.run(LONG, until=lambda world: world.live == V2)
        world.said = {Kind.ROLLBACK: YES}
        world.run(LONG)
        assert (world.phase(), world.live) == (Phase.FAILED, V1)
        assert world.status.ending
        assert world.status.ending.message == "manual webhook invoked: ask"
