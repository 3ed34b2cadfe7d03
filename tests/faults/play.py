"""Plays a row: opens the scene, sends the traffic, and says what became of it, whatever happens."""

import time
import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

from tests.bench.answers import Answer, tally
from tests.bench.application import Application
from tests.bench.traffic import Traffic
from tests.cluster.namespaces import unique
from tests.faults.analyzers import Analyzers, prometheus_of_the_host
from tests.faults.result import Result
from tests.faults.row import Leader, Row
from tests.faults.scene import FULL, Scale, Scene
from tests.faults.subject import Managed, Plain

LONGEST = 900.0  # seconds of traffic; a row that takes longer has failed by its own deadlines before
WARM_UP = 1.0  # seconds of traffic before anything happens
PROBLEM_LENGTH = 600


def play(row: Row, scale: Scale = FULL, analyzers: Analyzers | None = None) -> Result:
    """One row in namespaces of its own. Never raises for what goes wrong in it: that is in the result."""
    began = time.monotonic()
    name = unique("fault")
    at_hand = {"prometheus": prometheus_of_the_host()} if row.leader in (Leader.HOST, Leader.OWN) else {}
    managed = Managed(f"{name}-managed", **{**at_hand, **row.options})
    twin = Plain(f"{name}-twin")
    scene = Scene(managed, twin, scale, analyzers)
    with ExitStack() as stack:
        for application in (managed, twin):
            stack.callback(_closed, application)
        if analyzers and row.leader is Leader.OWN:
            stack.callback(analyzers.end_all)
        problem, accounts = _guarded(row, scene, scale)
        mine, theirs = (tally(account) for account in accounts)
        return Result(
            row=row.name,
            done=row.says,
            managed=mine,
            plain=theirs,
            ended=_told(scene),
            recovery=scene.recovery,
            left=scene.left() if not problem else (),
            problem=problem,
            notes=scene.notes,
            slack=row.slack,
            seconds=time.monotonic() - began,
        )


def _closed(application: Application) -> None:
    """What cannot be taken away now is no reason to play no more rows: each has namespaces of its own."""
    try:
        application.close()
    except AssertionError as error:
        traceback.print_exception(error)


def _guarded(row: Row, scene: Scene, scale: Scale) -> tuple[str, Sequence[Sequence[Answer]]]:
    """The problem that ended it, if any, and the account of every request to each of the two."""
    applications = (scene.managed, scene.twin)
    try:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(Application.open, applications))
    except Exception as error:
        return problem_of(error), ((), ())
    with ExitStack() as stack:
        traffics = [
            stack.enter_context(closing(application.traffic(scale.rate, int(scale.rate * LONGEST))))
            for application in applications
        ]
        problem = _run(row, scene, traffics)
        return problem, [traffic.stop() for traffic in traffics]


def _run(row: Row, scene: Scene, traffics: Sequence[Traffic]) -> str:
    try:
        for traffic in traffics:
            traffic.start()
        time.sleep(WARM_UP)
        row.play(scene)
        scene.twin("rollout", "status", "deployment/podinfo", "--timeout=60s")
    except Exception as error:
        return problem_of(error)
    return ""


def problem_of(error: Exception) -> str:
    """What went wrong, in a line; all of it is printed."""
    traceback.print_exception(error)
    return f"{type(error).__name__}: {error}"[:PROBLEM_LENGTH]


def _told(scene: Scene) -> str:
    try:
        return scene.ended
    except Exception as error:
        return f"unknown: {error}"[:PROBLEM_LENGTH]
