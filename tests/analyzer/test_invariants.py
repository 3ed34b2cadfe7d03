"""Every promise on the page can be broken, and is then noticed: each has a write here that breaks it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from analyzer.actions import Ask, Label, Measure, Plan, RemoveCanary, Route, RunCanary, Unroute
from analyzer.status import Ending, Outcome, Phase
from tests.analyzer.invariants import PROMISES, Moment, Serving, Write, breaches_of, waits_for_nothing
from tests.analyzer.things import SPEC, V1, V2, V3
from tests.analyzer.world import World, shipped

FAILED = Ending(Outcome.FAILED, "its checks failed")
Breaking = Callable[[World], Write]


def at_20() -> World:
    """A canary that has its first share, and the last traffic was just now."""
    world = shipped()
    while world.status.weight < 20:
        world.run(0.25)
    world.last_traffic = world.now
    return world


def broken(breaking: Breaking, **status: object) -> set[str]:
    """The names of the promises that a write breaks."""
    world = at_20()
    world.status = replace(world.status, **status)  # type: ignore[arg-type]
    before = world.copy()
    write = breaking(world)
    return {text.partition(":")[0] for text in breaches_of(Moment(before, write, world))}


def other_canary(world: World) -> Write:
    world.canary = (V3, 2, world.now)
    return RunCanary(2)


def no_canary(world: World) -> Write:
    world.canary = None
    return RemoveCanary()


def more_for_nobody(world: World) -> Write:
    world.canary, world.route = None, 40
    return Route(40, V2)


def live(template: str, write: Write) -> Breaking:
    def breaking(world: World) -> Write:
        world.live = template
        return write

    return breaking


def stash_lost(world: World) -> Write:
    world.stash = None
    return Label("analysing")


def stored(**changes: object) -> Breaking:
    def breaking(world: World) -> Write:
        world.status = replace(world.status, **changes)  # type: ignore[arg-type]
        return world.status

    return breaking


def all_for_one(world: World) -> Write:
    world.autoscaled, world.serving = True, 1
    world.status = replace(world.status, weight=0)
    return world.status


def ended(world: World) -> Write:
    """Too early, and with an entry for nothing."""
    world.status = replace(world.status, ending=FAILED).end(world.now)
    return world.status


def entered_twice(world: World) -> Write:
    world.canary, world.route, world.service = None, None, None
    over = replace(world.status, ending=FAILED).end(world.now)
    world.status = replace(over, history=over.history * 2)
    return world.status


def repeated(world: World) -> Write:
    for _ in range(4):
        breaches_of(Moment(world.copy(), Label("analysing"), world))
    return Label("analysing")


def out_of_the_blue(world: World) -> Write:
    world.route = 0
    return Measure(traffic=True)


def succeeded_elsewhere(world: World) -> Write:
    world.canary, world.route, world.service = None, None, None
    world.status = replace(world.status, ending=Ending(Outcome.SUCCEEDED, "every check passed")).end(world.now)
    return world.status


def led_nowhere(world: World) -> Write:
    world.service = V3
    return Serving(V3)


BREAKING: dict[str, Breaking] = {
    "a_canary_is_replaced_only_without_traffic_and_drained": other_canary,
    "a_canary_is_what_waits_and_was_stored_before": other_canary,
    "a_canary_goes_last": no_canary,
    "a_canary_has_the_size_of_its_share": stored(weight=100),
    "traffic_is_for_a_canary_that_is_ready": more_for_nobody,
    "a_share_leads_to_the_canary_that_is_there": led_nowhere,
    "a_route_follows_the_status": more_for_nobody,
    "a_route_goes_only_without_traffic": lambda _: Unroute(),
    "the_weight_rises_by_one_step": stored(weight=60),
    "the_canary_serves_until_the_primary_is_ready": stored(phase=Phase.FINALISING),
    "traffic_is_measured_where_there_is_some": out_of_the_blue,
    "promoted_is_only_what_was_proven": live(V2, Ask("go", V2)),
    "nobody_waives_an_analysis_but_who_may": stored(waived="by nobody"),
    "the_swap_is_stored_before_it_is_asked_for": live(V2, Ask("go", V2)),
    "the_primary_changes_by_a_promotion_or_its_undoing_alone": live(V3, Label("analysing")),
    "the_primary_gets_its_traffic_back_as_it_gets_its_replicas_back": all_for_one,
    "nothing_that_waits_is_lost": stash_lost,
    "a_promotion_is_done_when_nothing_is_left": lambda _: Ask("done", V1),
    "a_promotion_is_taken_back_only_for_a_reason": lambda _: Ask("back", V1),
    "the_last_word_comes_last": ended,
    "succeeded_means_that_the_primary_is_the_revision": succeeded_elsewhere,
    "the_history_has_one_entry_for_each_ending": entered_twice,
    "every_ending_says_why": stored(ending=Ending(Outcome.FAILED, "")),
    "only_what_failed_is_remembered": stored(rejected=(V2,)),
    "a_failed_check_counts_once": stored(failed_checks=1),
    "failed_checks_are_forgotten_only_by_a_new_beginning": stored(failed_checks=-1),
    "a_wish_is_heard_once_and_for_its_own_revision": stored(observed_wish="promote it"),
    "initialized_means_that_updates_are_diverted": stored(phase=Phase.INITIALIZED, guarded=False),
    "no_action_is_repeated_for_ever": repeated,
}


WITH: dict[str, dict[str, object]] = {
    "the_canary_serves_until_the_primary_is_ready": {"phase": Phase.PROMOTING},
    "the_primary_gets_its_traffic_back_as_it_gets_its_replicas_back": {
        "phase": Phase.FINALISING,
        "weight": 60,
        "replicas": 10,
    },
}


@pytest.mark.parametrize("name", [promise.__name__ for promise in PROMISES])
def test_a_promise_that_is_broken_is_noticed(name: str) -> None:
    assert name in broken(BREAKING[name], **WITH.get(name, {}))


def test_a_promise_is_a_name_and_a_sentence() -> None:
    assert len(PROMISES) == len({promise.__name__ for promise in PROMISES}) == len(BREAKING)
    assert all(promise.__doc__ and promise.__doc__.strip().endswith(".") for promise in PROMISES)


def test_nothing_breaks_a_promise_by_itself() -> None:
    world = at_20()
    assert breaches_of(Moment(world.copy(), Label("analysing"), world)) == []


def test_who_waits_without_a_wake_is_noticed_unless_somebody_holds_it_up() -> None:
    world = at_20()
    unattended = Plan(world.status)
    assert waits_for_nothing(world, unattended)
    world.spec = replace(SPEC, suspend=True)
    assert not waits_for_nothing(world, unattended)
    assert waits_for_nothing(world, Plan(replace(world.status, phase=Phase.WAITING, problem=""), wake=1))
