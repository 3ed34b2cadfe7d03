"""Every habit of either Helm, beside a twin without Detour: what waits here has to be what runs there.

It is about a write and its answer, so that Deployments that run no pod will do (as in `tests.cluster.podless`).
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.cluster.helm.release import ATOMIC, REPLACE, Twins, books, told
from tests.cluster.podless import paused
from tests.cluster.shop import IMAGE, tag_of

BLUE = {"COLOR": "blue"}

Idle = Callable[[int], Twins]


def test_an_installed_release_is_live_at_once_and_has_nothing_of_ours(idle: Idle, version: int) -> None:
    twins = idle(version)
    assert told(twins.install(tag="6.0.1")) == []
    assert twins.managed.shop.ours == set()
    assert (set(twins.managed.shop.owners), twins.managed.state) == (books(version), "deployed")


def test_what_waits_is_what_the_release_would_run_without_detour(twins: Twins) -> None:
    twins.upgrade(tag="6.0.1", env={"LOG": "debug"})
    twins.upgrade(tag="6.0.1", env={"LOG": "debug", **BLUE}, annotations={"a": "1"})
    twins.kubectl("set", "env", "deployment/podinfo", "BY_HAND=yes")
    twins.upgrade(tag="6.0.2", env=BLUE, labels={"team": "shop"})
    twins.upgrade("--install", "--reuse-values", annotations={"a": "2"})
    assert twins.managed.shop.live_image == "6.0.0"
    assert twins.managed.history == twins.twin.history


def test_a_value_goes_back_to_what_the_primary_has_while_another_changes(twins: Twins) -> None:
    twins.upgrade(tag="6.0.1", annotations={"log": "debug"}, env=BLUE)
    twins.upgrade(tag="6.0.0", annotations={"log": "debug"}, env=BLUE)
    twins.upgrade(tag="6.0.2")
    assert tag_of(twins.managed.shop.waiting) == "6.0.2"


def test_the_same_chart_again_writes_nothing_but_the_release(twins: Twins) -> None:
    helm = twins.managed
    helm.upgrade(tag="6.0.1", env=BLUE)
    before = helm.shop.settled()
    for _ in range(2):
        assert "on its way as a canary already" in told(helm.upgrade(tag="6.0.1", env=BLUE))[0]
    assert helm.shop.settled() == before
    assert helm.history == ["superseded", "superseded", "superseded", "deployed"]


def test_an_upgrade_by_replacement_states_everything(twins: Twins, version: int) -> None:
    twins.upgrade(tag="6.0.1", env=BLUE)
    twins.kubectl("set", "env", "deployment/podinfo", "BY_HAND=yes")
    said = twins.upgrade(*REPLACE[version], tag="6.0.2")
    assert "as the canary" in told(said)[0]
    assert twins.managed.shop.live_image == "6.0.0"


def test_a_dry_run_sends_nothing(twins: Twins) -> None:
    before = twins.managed.shop.primary
    said = twins.upgrade("--dry-run=server", tag="6.0.1")
    assert (told(said), twins.managed.shop.primary, twins.managed.history) == ([], before, ["deployed"])


def test_what_somebody_set_by_hand_conflicts_as_it_would_without_detour(twins: Twins, version: int) -> None:
    twins.upgrade(tag="6.0.1")
    twins.kubectl("set", "image", "deployment/podinfo", f"podinfo={IMAGE}:6.0.2")
    said = twins.upgrade(tag="6.0.3", check=False)
    assert said.code == (0 if version == 3 else 1)
    twins.upgrade(*(["--force-conflicts"] if version == 4 else []), tag="6.0.3")
    assert tag_of(twins.managed.shop.waiting) == "6.0.3"


def test_a_refused_upgrade_leaves_what_waits_alone_and_is_rolled_back(twins: Twins, version: int) -> None:
    twins.upgrade(tag="6.0.1")
    before = twins.managed.shop.waiting
    said = twins.upgrade(ATOMIC[version], tag="6.0.2", app="other", check=False)
    assert "`selector` does not match template `labels`" in said.err
    assert twins.managed.shop.waiting == before
    assert twins.managed.history == twins.twin.history == ["superseded", "superseded", "failed", "deployed"]


def test_a_release_takes_over_a_deployment_that_kubectl_applied(idle: Idle, version: int) -> None:
    twins = idle(version)
    deployment = paused(twins.managed.shop.deployment())
    twins(lambda helm: helm.shop.apply(deployment))
    assert told(twins.install("--take-ownership")) == []
    force = ["--force-conflicts"] if version == 4 else []
    assert "canary" in told(twins.upgrade(*force, tag="6.0.1", env=BLUE))[0]
    twins.upgrade(*force, tag="6.0.2")
    assert twins.managed.shop.live_image == "6.0.0"


def test_helm_4_takes_over_a_release_of_helm_3_whose_upgrade_waits(idle: Idle, programs: dict[str, Path]) -> None:
    old = idle(3)
    old.install()
    old.upgrade(tag="6.0.1", env=BLUE)
    new = Twins(*(replace(helm, version=4, program=programs["helm4"]) for helm in (old.managed, old.twin)))
    for flags in ([], ["--server-side=true"], []):
        said = new.upgrade(*flags, tag="6.0.1", env=BLUE)
        assert "on its way as a canary already" in told(said)[0]
    assert set(new.managed.shop.owners) == books(4)
    new.upgrade(tag="6.0.2")
    assert new.managed.shop.live_image == "6.0.0"


def test_a_rollback_that_has_anything_to_send_cancels_the_canary(twins: Twins) -> None:
    twins.upgrade(tag="6.0.1", env={"LOG": "info"}, labels={"helm.sh/chart": "podinfo-2"})
    said = twins(lambda helm: helm.rollback(1))
    assert "cancelled, the primary stays" in told(said)[0]
    assert twins.managed.shop.waiting is None
