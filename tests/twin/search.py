"""Looking for a sequence of commands after which the two differ, and for the fewest of them that show it."""

import time
from collections.abc import Callable
from dataclasses import replace

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.twin.commands import Sequence, sequences
from tests.twin.law import Account, Apart, Life
from tests.twin.pair import Side

Live = Callable[[Sequence], Apart | None]
"""Tells a sequence to both, and says how they came to differ; None where they did not."""


def lived(managed: Side, twin: Side, account: Account, sequence: Sequence) -> Apart | None:
    """How the two came to differ, None where they did not."""
    try:
        Life(managed, twin, account).live(sequence)
    except Apart as difference:
        return difference
    print(f"  {account.sequences} sequences, {account.told.total()} commands", flush=True)
    return None


def tried(count: int, length: int, number: int, live: Live, until: float) -> Sequence | None:
    """The first sequence that shows a difference, None where none did. Nothing is begun after `until`."""
    failed: list[Sequence] = []

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(sequences(length))
    def law(sequence: Sequence) -> None:
        if not failed and time.monotonic() < until and live(sequence):
            failed.append(sequence)

    law()
    return failed[0] if failed else None


def shortest(failed: Sequence, live: Live, until: float) -> Apart | str:
    """The difference, shown with no command that it can do without."""
    difference: Apart | str = live(failed) or "it did not show again: a matter of timing"
    for step in list(failed.steps):
        fewer = replace(failed, steps=[other for other in failed.steps if other is not step])
        if time.monotonic() < until and (shown := live(fewer)):
            failed, difference = fewer, shown
    return difference
