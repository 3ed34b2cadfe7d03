"""A take-over in the world of the tests, where time costs nothing."""

from functools import partial

from detour.person import Clock
from detour.takeover.found import Found
from detour.takeover.look import look
from detour.takeover.perform import TakeOver
from detour.takeover.plan import plan
from detour.takeover.refusals import refusals
from tests.takeover.world import World


def seen(world: World, *controllers: str) -> Found:
    """One look at it."""
    return look(world, "shop", "web", controllers)


def take_over(world: World) -> list[str]:
    """From where it is to its end; what a person is told. Raises Problem, and Crash where the process dies."""
    told: list[str] = []
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    TakeOver(
        client=world,
        namespace="shop",
        look=partial(seen, world, *(("flagger",) if world.beside else ())),
        plan=partial(plan, beside=world.beside),
        refusals=partial(refusals, beside=world.beside),
        tell=told.append,
        clock=Clock(lambda: now[0], sleep),
    ).run()
    return told
