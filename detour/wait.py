"""`detour wait`: what CI runs right after an update. `kubectl rollout status` is content at once, the primary not
having changed."""

import sys
import time
from functools import partial
from typing import Any

import click

from analyzer.fields import SpecError, duration
from analyzer.kube.errors import ApiError, Unreachable
from detour.application import NAME, Application, Name, again, find
from detour.outcome import Exit, Standing, Wanted, standing, wanted_of
from detour.person import REAL, Clock, Place, at_a_place, passes, patiently, sentence
from detour.terminal import report, say
from webhook.revision import short

LOOK_EVERY = 2.0  # seconds
FIRST_LOOK = 10.0  # seconds that a cluster has for its first answer


class Misused(click.UsageError):
    """A mistake on the command line."""

    exit_code = 3


class Waiting(click.Command):
    """Its exit status is read by programs: a mistake on the command line is no timeout."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """As always, but for the exit status."""
        try:
            return super().make_context(*args, **kwargs)
        except click.UsageError as error:
            raise Misused(error.message, error.ctx) from error


class Duration(click.ParamType[float]):
    """Such as 90s, 10m or 1h30m."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds."""
        try:
            return value if isinstance(value, float) else duration(value, "--timeout")
        except SpecError as error:
            self.fail(str(error).removeprefix("--timeout: "), param, ctx)


@click.command("wait", cls=Waiting)
@click.argument("name", type=NAME)
@click.option("--timeout", type=Duration(), default="10m", show_default=True, help="such as 90s, 10m or 1h30m")
@at_a_place
def command(place: Place, name: Name, timeout: float) -> None:
    """Wait until the last update of NAME is promoted, or until it is certain that it will not be.

    Exits 0: promoted, and the primary's rollout is complete. 1: failed, aborted, cancelled or superseded; the last line
    says which, and why. 2: neither within the timeout. 3: it cannot be told (usage, no cluster, no permission).

    \b
    Example: kubectl apply -f shop.yaml && kubectl detour wait podinfo -n shop --timeout 10m
    """
    deadline = time.monotonic() + timeout
    first = min(deadline, time.monotonic() + FIRST_LOOK)
    found = patiently(partial(find, place, name), first, report)
    primary = found.primary or found.managed()[0]
    wanted = wanted_of(primary, found.canary)
    report(f"{found.name}: waiting for revision {short(wanted.revision)}")
    ended = until_over(place, found, wanted, deadline)
    say(f"{found.name}: revision {short(wanted.revision)} {ended.text}", problem=ended.exit is not Exit.PROMOTED)
    sys.exit(ended.exit)


def until_over(place: Place, found: Application, wanted: Wanted, deadline: float, clock: Clock = REAL) -> Standing:
    """A line whenever it stands otherwise, until it is over or the time is."""
    said = ""
    while True:
        try:
            found = patiently(partial(again, place, found), deadline, report, clock)
        except (ApiError, Unreachable) as error:
            if not passes(error):
                raise
            return Standing(f"is not over within the timeout: {sentence(error)}", Exit.TIMEOUT)
        now = standing(wanted, found.primary, found.canary)
        if now.exit is not None:
            return now
        if now.text != said:
            report(f"{found.name}: {now.text}")
            said = now.text
        if (left := deadline - clock.now()) <= 0:
            return Standing(f"is not over within the timeout: {now.text}", Exit.TIMEOUT)
        clock.sleep(min(LOOK_EVERY, left))
