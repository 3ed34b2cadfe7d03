"""What Helm 3 does not send, since it compares with the live Deployment and finds there already what it wants.

Nobody can hear of it, then. docs/changes.md says so, and what to do instead.
"""

from collections.abc import Callable

import pytest

from tests.cluster.helm.release import Twins
from tests.cluster.shop import IMAGE, tag_of

LOG = {"LOG": "info"}


@pytest.fixture
def twins(idle: Callable[[int], Twins]) -> Twins:
    """Of Helm 3."""
    twins = idle(3)
    twins.install(env=LOG)
    return twins


def env(twins: Twins) -> list[dict[str, str]]:
    """The variables of the managed one, as they are meant."""
    container = twins.managed.shop.desired["spec"]["containers"][0]
    assert container["image"] == f"{IMAGE}:6.0.2"
    return list(container.get("env", []))


def test_a_rollback_of_nothing_but_the_template_leaves_the_canary(twins: Twins) -> None:
    twins.upgrade(tag="6.0.1", env=LOG)
    twins.managed.rollback(1)
    assert (tag_of(twins.managed.shop.waiting), twins.managed.state) == ("6.0.1", "deployed")


def test_a_value_that_was_dropped_is_not_taken_up_again_until_the_promotion(twins: Twins) -> None:
    twins.upgrade(tag="6.0.1")
    twins.managed.upgrade(tag="6.0.2", env=LOG)
    assert env(twins) == []


def test_what_was_set_by_hand_is_not_taken_back_to_the_primarys_value(twins: Twins) -> None:
    twins.upgrade(tag="6.0.1", env=LOG)
    twins.kubectl("set", "env", "deployment/podinfo", "LOG=debug")
    twins.managed.upgrade(tag="6.0.2", env=LOG)
    assert env(twins) == [{"name": "LOG", "value": "debug"}]
