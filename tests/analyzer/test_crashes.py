"""Any process may die at any line: every story ends as it would have, wherever it is cut, and no promise is broken.

Each is run once without a cut, and then once for every one of its effects and every way to be cut there. What may
differ is time alone, and what time brings: a check that was measured and not stored is measured once more, an event
that was not written is lost, and a step that was decided on may be overtaken before any route has it. So what is
compared are the decisions that were stored, and what is there in the end.
"""

import os
import random
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analyzer.wishes import Verb
from tests.analyzer.cuts import QUICK, Cut, Way
from tests.analyzer.cutting import EVERY_CUT, End, Uncut
from tests.analyzer.scenarios import SCENARIOS
from tests.analyzer.story import (
    Act,
    Now,
    Scenario,
    ask,
    at,
    at_rest,
    become,
    canary_lost,
    deleted,
    edited_past_the_webhook,
    run_as_canary,
    swapped,
    update,
)
from tests.analyzer.things import FAILED, NO_DATA, PASSED, SHUT, SPEC, V1, V2, V3
from tests.analyzer.world import World

LEAST = 20_000  # cut runs
PAIRS = 12  # runs of each scenario that are cut twice
WAYS = (*EVERY_CUT, Cut(Way.DIES_AFTER, 20.0))


def same(uncut: Uncut, cut: World, how: str) -> None:
    """The end is the one without the cut, and every promise was kept on the way."""
    assert cut.breaches == [], f"{uncut.scenario.name}, {how}: {cut.breaches}"
    difference = uncut.end.differs(End.of(cut))
    assert not difference, f"{uncut.scenario.name}, {how}: {difference}"


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_it_ends_the_same_wherever_it_is_cut(scenario: Scenario) -> None:
    uncut = Uncut(scenario)
    assert uncut.world.breaches == []
    runs = 0
    for at_effect, cut, world in uncut.cuts():
        same(uncut, world, f"{cut.way.value}, effect {at_effect}, {cut.downtime:g} s")
        runs += 1
    assert runs == uncut.world.effects * len(EVERY_CUT)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_it_ends_the_same_when_it_is_cut_twice(scenario: Scenario) -> None:
    uncut, chance = Uncut(scenario), random.Random(scenario.name)
    for _ in range(PAIRS):
        first = chance.randint(1, uncut.world.effects)
        cuts = (first, chance.choice(WAYS)), (first + chance.randint(1, 6), chance.choice(WAYS))
        same(uncut, uncut.cut(*cuts), f"{cuts}")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_it_ends_the_same_where_every_write_is_the_last_of_its_process(scenario: Scenario) -> None:
    uncut = Uncut(scenario)
    ending = uncut.world.status.ending
    if ending and "progress deadline" in ending.message:
        pytest.skip("no deadline runs while nobody looks, and here nobody does for long")
    same(uncut, uncut.mortal(), "each analyzer dies with its first write")


def test_tens_of_thousands_of_runs_are_cut() -> None:
    effects = sum(Uncut(scenario).world.effects for scenario in SCENARIOS)
    assert effects * len(EVERY_CUT) + len(SCENARIOS) * PAIRS >= LEAST


def test_nothing_is_accepted_of_an_analyzer_that_wakes_when_another_leads() -> None:
    uncut, refused = Uncut(SCENARIOS[0]), 0
    for at_effect in range(1, uncut.world.effects + 1):
        world = uncut.cut((at_effect, Cut(Way.STOPPED)))
        same(uncut, world, f"stopped at {at_effect}")
        refused += world.fenced
    assert refused >= uncut.world.effects / 2


def test_every_story_ends_and_leaves_nothing() -> None:
    for scenario in SCENARIOS:
        world = Uncut(scenario).world
        assert not world.status.phase.in_flight, scenario.name
        assert (world.canary, world.route, world.service) == (None, None, None), scenario.name
        assert world.turn == len(scenario.turns), scenario.name


RIPE: dict[str, Now] = {
    "as a canary": run_as_canary(V2),
    "at 20 %": at(20),
    "at 40 %": at(40),
    "at 60 %": at(60),
    "swapped": swapped,
    "at rest": at_rest,
}
ACTS: dict[str, Act] = {
    "update to V1": update(V1),
    "update to V2": update(V2),
    "update to V3": update(V3),
    "changed directly": lambda world: world.change(V3),
    "changed past the webhook": edited_past_the_webhook,
    "checks fail": become(checks=FAILED),
    "checks pass": become(checks=PASSED),
    "no data": become(checks=NO_DATA),
    "many replicas": become(replicas=10),
    "no replicas": become(replicas=0),
    "replicas": become(replicas=2),
    "canary never ready": become(comes_up=False),
    "canary ready": become(comes_up=True),
    "primary never ready": become(primary_comes_up=False),
    "canary lost": canary_lost,
    "gate shut": become(gate=SHUT),
    "deleted": deleted,
    "asked to abort": ask(Verb.ABORT),
    "asked to promote": ask(Verb.PROMOTE),
    "asked to retry": ask(Verb.RETRY),
    "would be refused": become(refused="a policy forbids it"),
}
turns = st.lists(st.tuples(st.sampled_from(sorted(RIPE)), st.sampled_from(sorted(ACTS))), min_size=1, max_size=4)


@settings(
    max_examples=int(os.environ.get("EXAMPLES", "60")), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
@given(turns, st.integers(1, 6), st.sampled_from((1, 2, 3)), st.data())
def test_what_nobody_has_thought_of_ends_the_same_wherever_it_is_cut(
    happening: list[tuple[str, str]], start: int, threshold: int, data: st.DataObject
) -> None:
    name = ", ".join(f"{when}: {what}" for when, what in happening)
    spec = replace(SPEC, threshold=threshold)
    scenario = Scenario(name, {"spec": spec}, tuple((RIPE[when], ACTS[what]) for when, what in happening))
    uncut = Uncut(scenario)
    assert uncut.world.breaches == []
    way = data.draw(st.sampled_from((*EVERY_CUT[2:], Cut(Way.DIES_BEFORE, QUICK))))
    for at_effect in range(start, uncut.world.effects + 1, 6):
        same(uncut, uncut.cut((at_effect, way)), f"{way.way.value}, effect {at_effect}")
