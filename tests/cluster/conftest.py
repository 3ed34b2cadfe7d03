"""Fixtures of the cluster tests."""

from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cluster import aftermath
from tests.cluster.namespaces import unique
from tests.cluster.pair import Pair, Pairs, Place, Places, sides
from tests.cluster.policies import WritePolicy, policies
from tests.cluster.shop import OpenShop, Shop, opened
from tests.cluster.turns import a_turn

HERE = Path(__file__).parent
MINUTES = ("test_seed.py", "test_scenarios.py", "test_workload_faults.py")
"""Rows take turns: first in one worker's share, they are the last that others take over, only to wait for a turn."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs the sandbox. What takes minutes comes first, so that nothing waits for it."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.cluster)
    items.sort(key=lambda item: MINUTES.index(item.path.name) if item.path.name in MINUTES else len(MINUTES))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure is seldom understood from the assertion alone."""
    report = yield
    if report.failed and call.when == "call":
        report.sections += aftermath.tell()
    return report


@pytest.fixture
def open_shop() -> Iterator[OpenShop]:
    """Makes shops; their namespaces are deleted at the end."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(opened(Shop(unique("shop"), **options)))


@pytest.fixture
def shop(open_shop: OpenShop) -> Shop:
    """An application with a Canary that guards it."""
    return open_shop()


@pytest.fixture
def write_policy() -> Iterator[WritePolicy]:
    """Writes CanaryPolicies; they are deleted at the end."""
    with policies() as write:
        yield write


@pytest.fixture
def turn() -> Iterator[None]:
    """For what has much traffic: two at once."""
    with a_turn():
        yield


@pytest.fixture(scope="session")
def pairs() -> Iterator[Pairs]:
    """Makes managed Deployments and their twins, both created in the same way."""
    with sides("pairs") as namespaces:

        def make(created: str = "apply", paused: bool = True) -> Places:
            name = unique("app")
            pair = Pair(Place(namespaces.managed, name, paused), Place(namespaces.twin, name, paused))
            pair.both(lambda place: place.send(place.manifest(), created))
            return pair

        yield make
