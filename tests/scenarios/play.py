"""Plays a scenario: sets the stage, sends the users, and says what became of it, whatever happens."""

import time
from collections.abc import Sequence
from contextlib import ExitStack, closing

from tests.bench.answers import Answer, tally
from tests.bench.traffic import Traffic
from tests.cluster.namespaces import unique
from tests.faults.play import PROBLEM_LENGTH, problem_of
from tests.scenarios.result import Result
from tests.scenarios.scenario import Scenario
from tests.scenarios.shopfront import Shopfront
from tests.scenarios.stage import Course, Stage
from tests.scenarios.wire import Moment, complaints, stretches

RATE = 40.0  # requests a second of every crowd
LONGEST = 600.0  # seconds of traffic; a scenario that takes longer has failed by its own deadlines before
WARM_UP, AFTERMATH = 1.0, 1.0  # seconds of traffic before anything happens, and after everything has


def play(scenario: Scenario, rate: float = RATE) -> Result:
    """One scenario in a namespace of its own. Never raises for what goes wrong in it: that is in the result."""
    began = time.monotonic()
    shop = Shopfront(unique("scene"), **scenario.options)
    stage = Stage(shop)
    with ExitStack() as stack:
        stack.callback(shop.close)
        problem, moments, accounts = _guarded(scenario, stage, rate)
        pairs = list(zip(scenario.crowds, accounts, strict=True))
        met = {crowd.name: stretches(moments, account, crowd.expected) for crowd, account in pairs if account}
        return Result(
            name=scenario.name,
            source=scenario.source,
            says=scenario.says,
            ended=_told(stage),
            seconds=time.monotonic() - began,
            tallies={crowd.name: tally(account) for crowd, account in pairs},
            stretches=met,
            wire=[said for name, found in met.items() for said in complaints(found, scenario.weights, name)],
            left=stage.left() if not problem else (),
            problem=problem,
            notes=stage.notes,
        )


def _guarded(scenario: Scenario, stage: Stage, rate: float) -> tuple[str, Sequence[Moment], Sequence[list[Answer]]]:
    """The problem that ended it, if any; what its Canary said; and the account of every request of each crowd."""
    try:
        stage.shop.open()
    except Exception as error:
        return problem_of(error), (), [[] for _ in scenario.crowds]
    with ExitStack() as stack:
        traffics = [
            stack.enter_context(closing(stage.shop.crowd(rate, int(rate * LONGEST), crowd.headers)))
            for crowd in scenario.crowds
        ]
        course = stack.enter_context(Course(stage.shop.namespace))
        problem = _run(scenario, stage, traffics)
        return problem, course.moments, [traffic.stop() for traffic in traffics]


def _run(scenario: Scenario, stage: Stage, traffics: Sequence[Traffic]) -> str:
    try:
        for traffic in traffics:
            traffic.start()
        time.sleep(WARM_UP)
        scenario.play(stage)
        time.sleep(AFTERMATH)
    except Exception as error:
        return problem_of(error)
    return ""


def _told(stage: Stage) -> str:
    try:
        return stage.ended
    except Exception as error:
        return f"unknown: {error}"[:PROBLEM_LENGTH]
