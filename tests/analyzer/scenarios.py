"""What may happen around a rollout, story by story."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from analyzer.actions import Ask, Label, RemoveCanary, Route, RunCanary, Unroute
from analyzer.freezes import Freeze
from analyzer.hooks import Gate, Kind
from analyzer.metrics.verdict import Check, Result
from analyzer.moves import PAUSED
from analyzer.spec import DIRECT, Spec
from analyzer.strategy import Strategy
from analyzer.traffic import Header, How, Match
from analyzer.wishes import Verb
from tests.analyzer.story import (
    Scenario,
    ask,
    at,
    at_rest,
    become,
    canary_lost,
    checked,
    deleted,
    down,
    edited_past_the_webhook,
    failing_once,
    leaving,
    made_anew,
    on_terms,
    run_as_canary,
    saying,
    stuck,
    swapped,
    update,
    waiting_at_a_gate,
)
from tests.analyzer.things import (
    FAILED,
    GATED,
    NO_DATA,
    OPEN,
    PASSED,
    SHUT,
    SILENT,
    SPEC,
    START,
    UNMEASURED,
    V1,
    V2,
    V3,
)


def by(steps: tuple[int, ...] = (), **strategy: Any) -> Spec:
    return replace(SPEC, strategy=Strategy(steps, **strategy))


def asking(kind: Kind, deadline: float | None = None) -> Spec:
    """With a gate of this kind."""
    return replace(SPEC, gates=(Gate("ask", "http://loadtester/", timeout=5, kind=kind, deadline=deadline),))


_WAITS = Check("ask", Result.WAITING, "waiting for approval ask")
NOT_YET = dict.fromkeys((Kind.CONFIRM_ROLLOUT, Kind.CONFIRM_TRAFFIC_INCREASE, Kind.CONFIRM_PROMOTION), _WAITS)
YES = {Kind.ROLLBACK: Check("ask", Result.FAILED, "ask said yes")}
INSIDERS = (Match((Header("x-user", How.EXACT, "insider"),)),)
NO_ROUTE: dict[str, Any] = {"obstacle": "no Service selects its pods", "unrouted": True}
A_ROUTE: dict[str, Any] = {"obstacle": "", "unrouted": False}
WINDOW = Freeze(f"{START.minute} {START.hour} * * *", 600.0)

SCENARIOS = (
    Scenario("success"),
    Scenario("success with many replicas", {"replicas": 10}),
    Scenario("success with a gate", {"spec": GATED}),
    Scenario("success without any metric", {"spec": replace(SPEC, metrics=())}),
    Scenario("one step", {"spec": replace(SPEC, strategy=Strategy((100,)))}),
    Scenario("analysis skipped", {"spec": replace(SPEC, strategy=Strategy((100,)), skip_analysis=True)}),
    Scenario("failing checks", {"checks": FAILED}),
    Scenario("failing checks from 40 %", {}, ((at(40), become(checks=FAILED)),)),
    Scenario("failing checks at the last weight", {}, ((at(60), become(checks=FAILED)),)),
    Scenario("one failed check", {"checks": FAILED}, ((failing_once, become(checks=PASSED)),)),
    Scenario("many failed checks", {"checks": FAILED, "spec": replace(SPEC, threshold=5)}),
    Scenario("fails, is tried again, succeeds", {"checks": FAILED},
             ((at_rest, become(checks=PASSED)), (at_rest, ask(Verb.RETRY)))),
    Scenario("fails, is applied again", {"checks": FAILED}, ((at_rest, update(V2)), (at_rest, update(V3)))),
    Scenario("a gate that stays shut", {"spec": GATED, "gate": SHUT}),
    Scenario("a gate that is shut at 40 %", {"spec": GATED}, ((at(40), become(gate=SHUT)),)),
    Scenario("a gate that is never there", {"spec": GATED, "gate": SILENT}),
    Scenario("a gate that is there later", {"spec": GATED, "gate": SILENT},
             ((run_as_canary(V2), become(gate=OPEN)),)),
    Scenario("an A/B test", {"spec": by(iterations=2, matches=INSIDERS)}),
    Scenario("an A/B test that fails", {"spec": by(iterations=2, matches=INSIDERS), "checks": FAILED}),
    Scenario("Blue/Green", {"spec": by(iterations=2)}),
    Scenario("Blue/Green that fails", {"spec": by(iterations=2)}, ((checked(1), become(checks=FAILED)),)),
    Scenario("Blue/Green without routes", {"spec": by(iterations=2), "unrouted": True}),
    Scenario("Blue/Green without routes, superseded", {"spec": by(iterations=2), "unrouted": True},
             ((checked(1), update(V3)),)),
    Scenario("a mirror first", {"spec": by((20, 40), mirror=100)}),
    Scenario("a mirror first, that fails", {"spec": by((20, 40), mirror=100)}, ((checked(1), become(checks=FAILED)),)),
    Scenario("by the number of pods", {"spec": by((40, 60), by_replicas=True)}),
    Scenario("by the number of pods, that fails", {"spec": by((40, 60), by_replicas=True)},
             ((at(40), become(checks=FAILED)),)),
    Scenario("consent to the rollout", {"spec": asking(Kind.CONFIRM_ROLLOUT), "said": NOT_YET},
             ((waiting_at_a_gate, become(said={})),)),
    Scenario("no consent to the rollout", {"spec": asking(Kind.CONFIRM_ROLLOUT, deadline=40), "said": NOT_YET}),
    Scenario("undone before the consent", {"spec": asking(Kind.CONFIRM_ROLLOUT), "said": NOT_YET},
             ((waiting_at_a_gate, update(V1)),)),
    Scenario("consent to more traffic", {"spec": asking(Kind.CONFIRM_TRAFFIC_INCREASE)},
             ((at(20), become(said=NOT_YET)), (waiting_at_a_gate, become(said={})))),
    Scenario("consent to the promotion", {"spec": asking(Kind.CONFIRM_PROMOTION), "said": NOT_YET},
             ((waiting_at_a_gate, ask(Verb.APPROVE)),)),
    Scenario("no consent to the promotion", {"spec": asking(Kind.CONFIRM_PROMOTION, deadline=40), "said": NOT_YET}),
    Scenario("superseded at the gate", {"spec": asking(Kind.CONFIRM_PROMOTION), "said": NOT_YET},
             ((waiting_at_a_gate, update(V3)), (waiting_at_a_gate, become(said={})))),
    Scenario("called back", {"spec": asking(Kind.ROLLBACK)}, ((at(40), become(said=YES)),)),
    Scenario("called back in the promotion", {"spec": asking(Kind.ROLLBACK), "primary_comes_up": False},
             ((swapped, become(said=YES)),)),
    Scenario("no data", {"checks": NO_DATA}),
    Scenario("no data at the last weight", {}, ((at(60), become(checks=NO_DATA)),)),
    Scenario("not measurable", {"checks": UNMEASURED}),
    Scenario("not measurable from 40 %", {}, ((at(40), become(checks=UNMEASURED)),)),
    Scenario("nobody knows how to measure", {"unmeasurable": "there is no MetricTemplate"},
             ((stuck, become(unmeasurable="")),)),
    Scenario("long windows", {"spec": replace(SPEC, longest_window=40.0)}, ((at(40), update(V3)),)),
    Scenario("never ready", {"comes_up": False}),
    Scenario("ready after a while", {"boots_in": 40.0}),
    Scenario("dies at 40 %", {}, ((at(40), become(comes_up=False)),)),
    Scenario("crashes at 40 %", {}, ((at(40), become(crashed="its container ended", comes_up=False)),)),
    Scenario("crashes once", {}, ((at(40), become(crashed="its container ended")), (failing_once, become(crashed="")))),
    Scenario("would be refused", {"refused": "spec.template: a policy forbids it"}),
    Scenario("superseded", {}, ((at(40), update(V3)),)),
    Scenario("superseded at once", {}, ((run_as_canary(V2), update(V3)),)),
    Scenario("superseded on its way out", {"checks": FAILED}, ((leaving, update(V3)),)),
    Scenario("superseded twice", {}, ((at(20), update(V3)), (run_as_canary(V3), update(V2)))),
    Scenario("superseded by what was rejected", {"checks": FAILED},
             ((at_rest, become(checks=PASSED)), (at_rest, update(V3)), (at(20), update(V2)))),
    Scenario("a newer one during the promotion", {}, ((swapped, update(V3)),)),
    Scenario("undone in the middle", {}, ((at(40), update(V1)),)),
    Scenario("undone before there is a canary", NO_ROUTE, ((stuck, update(V1)),)),
    Scenario("undone during the promotion", {}, ((swapped, lambda world: world.change(V1)),)),
    Scenario("undone on its way out", {"checks": FAILED}, ((leaving, update(V1)),)),
    Scenario("aborted", {}, ((at(40), ask(Verb.ABORT)),)),
    Scenario("aborted during the promotion", {"primary_comes_up": False}, ((swapped, ask(Verb.ABORT)),)),
    Scenario("aborted while it waits", {"held": "the namespace is paused"}, ((stuck, ask(Verb.ABORT)),)),
    Scenario("promoted by hand", {"checks": FAILED}, ((at(20), ask(Verb.PROMOTE)),)),
    Scenario("promoted by hand without a route", NO_ROUTE, ((stuck, ask(Verb.PROMOTE)),)),
    Scenario("promoted by hand after it failed", {"checks": FAILED}, ((at_rest, ask(Verb.PROMOTE)),)),
    Scenario("a wish for another revision", {}, ((at(20), ask(Verb.ABORT, V3)),)),
    Scenario("a primary that does not come up", {"primary_comes_up": False}),
    Scenario("a primary that does not come up, and a newer one", {"primary_comes_up": False}, ((swapped, update(V3)),)),
    Scenario("a primary that is down", {"spec": replace(SPEC, interval=120)},
             ((at(20), down), (swapped, become(down_since=None)))),
    Scenario("a primary that is down when it comes", {"down_since": START - timedelta(seconds=300)},
             ((swapped, become(down_since=None)),)),
    Scenario("changed directly", {}, ((at(40), lambda world: world.change(V3)),)),
    Scenario("changed past the webhook", {}, ((at(40), edited_past_the_webhook),)),
    Scenario("no route", NO_ROUTE, ((stuck, become(**A_ROUTE)),)),
    Scenario("no route, directly", {**NO_ROUTE, "spec": replace(SPEC, without_routes=DIRECT)}),
    Scenario("the route goes away", {}, ((at(40), become(**NO_ROUTE)),)),
    Scenario("the route goes away and is there again", {},
             ((at(40), become(**NO_ROUTE)), (saying(NO_ROUTE["obstacle"]), become(**A_ROUTE)))),
    Scenario("the Deployment is deleted", {}, ((at(40), deleted),)),
    Scenario("the Deployment is deleted during the promotion", {}, ((swapped, deleted),)),
    Scenario("the Canary is made anew", {}, ((at(40), made_anew),)),
    Scenario("the Canary is made anew during the promotion", {}, ((swapped, made_anew),)),
    Scenario("the Canary is broken", {}, ((at(40), become(unusable="stepWeight: 0")), (stuck, become(unusable="")))),
    Scenario("the analysis is changed", {"spec": replace(SPEC, terms="strict")},
             ((at(40), on_terms(terms="stricter", strategy=Strategy((30, 50)))),)),
    Scenario("paused before it begins", {"paused": True}, ((stuck, become(paused=False)),)),
    Scenario("paused at the last weight", {}, ((at(60), become(paused=True)), (saying(PAUSED), become(paused=False)))),
    Scenario("paused in the promotion", {"primary_comes_up": False},
             ((swapped, become(paused=True)), (at_rest, become(paused=False, primary_comes_up=True)))),
    Scenario("suspended", {}, ((at(40), on_terms(suspend=True)), (at_rest, on_terms(suspend=False)))),
    Scenario("held by the namespace", {"held": "the namespace is paused"}, ((stuck, become(held="")),)),
    Scenario("frozen", {"spec": replace(SPEC, freezes=(WINDOW,))}),
    Scenario("directly, as the namespace says", {"direct": "directly, as the namespace says"}),
    Scenario("left to the analyzer", {"at_once": "it is proven"}),
    Scenario("0 replicas at first", {"replicas": 0}, ((stuck, become(replicas=2)),)),
    Scenario("0 replicas in the middle", {}, ((at(40), become(replicas=0)), (stuck, become(replicas=2)))),
    Scenario("scaled up", {}, ((at(20), become(replicas=10)),)),
    Scenario("restarted", {}, ((at(20), become(restarted="2026-01-01T00:00:20Z")),)),
    Scenario("the canary is deleted", {}, ((at(40), canary_lost),)),
    Scenario("the route is edited up", {}, ((at(20), lambda world: world.edit_route(90)),)),
    Scenario("the route is deleted", {}, ((at(20), lambda world: world.edit_route(None)),)),
    Scenario("canaries are refused", {"refusing": (RunCanary,)}),
    Scenario("routes are refused", {"refusing": (Route, Unroute)}, ((at_rest, become(refusing=())),)),
    Scenario("labels are refused", {"refusing": (Label,), "checks": FAILED}),
    Scenario("the promotion is refused", {"refusing": (Ask,)},
             ((lambda world: world.status.ending is not None, become(refusing=())),)),
    Scenario("the removal is refused for a while", {},
             ((swapped, become(refusing=(RemoveCanary,))), (saying("a policy forbids it"), become(refusing=())))),
)  # fmt: skip
