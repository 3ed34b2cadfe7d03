"""Detour is removed in the middle of three rollouts: traffic first, then everything; what waits is kept.

In between it is installed in a namespace of another name, where nothing of it is left.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from tests.cluster.installing import (
    BUDGET,
    DEFINITIONS,
    ELSEWHERE,
    HOME_ELSEWHERE,
    applied,
    delete_everything,
    install,
    remains,
    rolled_out,
    uninstall,
)
from tests.cluster.kubectl import eventually, exists, kubectl
from tests.cluster.kustomized import Kustomized, name_of
from tests.cluster.namespaces import unique
from tests.cluster.shop import CALM, QUICK, Shop, opened
from tests.cluster.users import Users

pytestmark = pytest.mark.alone

PENDING = {
    "detour.dev/policy",
    "detour.dev/state",
    "detour.dev/revision",
    "detour.dev/template",
    "detour.dev/diverted-by",
    "detour.dev/history",
}


@dataclass(frozen=True)
class Town:
    """Three shops: one with a canary at 25 % for long, one that promotes at once, one whose Canary is suspended."""

    calm: Kustomized
    quick: Shop
    suspended: Shop


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    """What is deleted is what was installed, and at the end it is installed again, whatever came in between."""
    install()
    with ExitStack() as stack:
        stack.callback(install_here_alone)
        calm = Kustomized(unique("calm"), analysis=CALM)
        quick = Shop(unique("quick"), analysis={**QUICK, "stepWeight": 50})
        suspended = Shop(unique("suspended"), analysis=CALM, spec={"suspend": True})
        for shop in (calm, quick, suspended):
            stack.enter_context(opened(shop))
        yield Town(calm, quick, suspended)


def install_here_alone() -> None:
    """Where a test did not come so far, the one in another namespace goes."""
    if exists("namespace", HOME_ELSEWHERE):
        kubectl("delete", "-k", ELSEWHERE, "--timeout=150s", "--ignore-not-found")
    install()


@pytest.fixture(autouse=True)
def customers(town: Town) -> Iterator[None]:
    """All three have users while a test runs, and each is answered."""
    with ExitStack() as stack:
        shops = (town.calm, town.quick, town.suspended)
        users = {shop.namespace: stack.enter_context(Users(shop.host)) for shop in shops}
        yield
    assert {name: each.failed for name, each in users.items() if each.failed} == {}


def test_kubectl_delete_in_mid_canary_leaves_nothing_but_what_waits(town: Town) -> None:
    town.calm.ship("6.0.1")  # what only the primary refers to is pruned, and held
    town.suspended.set_image("6.0.1")
    town.calm.until_weight(25)
    town.quick.set_image("6.0.1")
    town.quick.until("Promoting")
    assert delete_everything().code == 0
    assert remains() == set()
    assert not town.calm.exists("configmap", name_of("6.0.0"))
    assert town.calm.live_image == "6.0.0"
    assert town.calm.ours == town.suspended.ours == PENDING
    assert (town.quick.live_image, town.quick.ours) == ("6.0.1", set())


def test_an_empty_cluster_takes_one_apply_in_a_namespace_of_any_name() -> None:
    assert {line.rpartition(" ")[2] for line in applied(ELSEWHERE)} == {"created"}
    rolled_out(HOME_ELSEWHERE)
    eventually(lambda: exists("canarypolicy", "default"), "the default policy is there", 60)
    assert applied(ELSEWHERE) <= {BUDGET}
    assert not exists("namespace", "detour")


def test_a_new_installation_carries_on_with_what_waited(town: Town) -> None:
    town.calm.apply(town.calm.canary())  # its definition was deleted, and so was it
    town.calm.until_weight(25)
    assert town.calm.live_image == "6.0.0"
    assert town.suspended.ours >= PENDING  # nobody has said anything about it yet


def test_what_comes_after_it_is_diverted_and_promoted(town: Town) -> None:
    quick = town.quick
    quick.apply(quick.template(), quick.canary())
    quick("wait", "canary/podinfo", "--for=condition=guarded", "--timeout=60s")
    assert "as a canary first" in quick.set_image("6.0.2").err
    quick.until("Succeeded")
    assert quick.live_image == "6.0.2"


def test_uninstall_takes_everything_back_and_keeps_the_canaries(town: Town) -> None:
    said = uninstall()
    assert said.code == 0, said.err
    assert all(shop.namespace in said.out for shop in (town.calm, town.suspended))
    assert remains() == DEFINITIONS | {"customresourcedefinition.apiextensions.k8s.io/canarypolicies.detour.dev"}
    assert not exists("namespace", HOME_ELSEWHERE)
    assert town.calm.ours == PENDING
    assert town.calm.phase != "Progressing"


def test_it_may_be_called_again_when_nothing_is_there(town: Town) -> None:
    said = uninstall()
    assert (said.code, town.suspended.namespace in said.out) == (0, True)


def test_what_waited_runs_by_itself_where_its_canary_was_kept(town: Town) -> None:
    install()
    town.calm.until_weight(25)
