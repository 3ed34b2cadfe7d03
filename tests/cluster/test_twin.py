"""The twin law on the real API server, in short: `python -m tests.twin` tries it by the hundred commands."""

import time
from collections.abc import Iterator
from functools import partial

import pytest

from tests.twin.commands import DEPLOYMENT, Command, Sequence, apply
from tests.twin.law import Account, Apart, Life
from tests.twin.pair import Side, pair
from tests.twin.search import lived, tried
from tests.webhook.deployments import template

SEEDS = (1, 2)
SEQUENCES, LENGTH, SECONDS = 3, 6, 20.0
FIRST = apply(template("podinfo:1"))
SET_IMAGE = Command(("set", "image", DEPLOYMENT, "podinfo=podinfo:2"))
SET_ENV = Command(("set", "env", DEPLOYMENT, "COLOR=blue"))


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Side, Side]]:
    with pair(tmp_path_factory.mktemp("twin")) as found:
        yield found


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_desired_is_what_a_twin_without_detour_runs(sides: tuple[Side, Side], seed: int) -> None:
    account, until = Account(), time.monotonic() + SECONDS
    live = partial(lived, *sides, account)
    failed = tried(SEQUENCES, LENGTH, seed, live, until)
    assert failed is None, live(failed)
    assert account.told


def test_a_command_that_only_one_of_them_was_told_is_found_out(sides: tuple[Side, Side]) -> None:
    life = Life(*sides, Account())
    life.live(Sequence(FIRST, [SET_IMAGE]))
    sides[1].tell(SET_ENV)
    with pytest.raises(Apart, match="they differ after"):
        life.compare()
