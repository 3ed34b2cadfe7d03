"""Helm 3 and Helm 4 as they are: an upgrade waits, its release is healthy, and no habit of theirs avoids the canary.

Most of it is about a write and its answer, so that Deployments that run no pod will do (as in tests/bench/idle.py). A
twin in a namespace without Detour receives the same commands: what waits here has to be what runs there.
"""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sandbox import build
from tests.cluster.helm import PARTS, RELEASE, VERSIONS, Helm, Twins, told
from tests.cluster.kubectl import Object, eventually, kubectl
from tests.cluster.person import Person
from tests.cluster.shop import IMAGE, Shop, tag_of
from webhook import stash

SLOW: Object = {"interval": "30s", "metrics": []}
QUICK: Object = {"interval": "1s", "metrics": []}
ATOMIC = {3: "--atomic", 4: "--rollback-on-failure"}
REPLACE = {3: ["--force"], 4: ["--force-replace", "--server-side=false"]}
BLUE = {"COLOR": "blue"}
KINDS = "deployments,replicasets,pods,services,ingresses,canaries,configmaps"
EVERYTHING = [KINDS, "--field-selector=metadata.name!=kube-root-ca.crt", "-o", "name"]

Charted = Callable[..., Helm]
Released = Callable[..., Helm]


@pytest.fixture(scope="session")
def programs() -> dict[str, Path]:
    """Both versions of Helm; built once, and kept like the sandbox's own parts."""
    return build.programs(PARTS)


@pytest.fixture(params=VERSIONS, ids="helm{}".format)
def version(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def charted(programs: dict[str, Path], tmp_path: Path) -> Iterator[Charted]:
    """Makes namespaces for a release that is not there yet; they are deleted at the end."""
    shops: list[Shop] = []

    def make(version: int, labels: str = "", analysis: Object | None = None) -> Helm:
        shop = Shop(f"helm-{secrets.token_hex(3)}", analysis=analysis or {})
        shops.append(shop)
        kubectl("create", "namespace", shop.namespace)
        if labels:
            kubectl("label", "namespace", shop.namespace, labels)
        return Helm(version, programs[f"helm{version}"], shop, tmp_path / shop.namespace)

    yield make
    for shop in shops:
        kubectl("delete", "namespace", shop.namespace, "--wait=false", "--ignore-not-found")


@pytest.fixture
def released(charted: Charted, version: int) -> Released:
    """Installs the whole application as one release, its Canary included, which guards it then."""

    def install(analysis: Object, **values: Any) -> Helm:
        helm = charted(version, analysis=analysis)
        shop = helm.shop
        helm.write_chart(shop.service(), shop.ingress(), shop.canary())
        helm.install("--wait", "--timeout=60s", **values)
        shop("wait", "canary/podinfo", "--for=condition=guarded", "--timeout=60s")
        return helm

    return install


@pytest.fixture
def idle(charted: Charted) -> Callable[[int], Twins]:
    """Makes twins that run no pod, not installed yet. The policy of the one does not exist, so that nothing begins."""

    def make(version: int) -> Twins:
        twins = Twins(charted(version, f"{stash.POLICY}=helm-has-none"), charted(version))
        for helm in (twins.managed, twins.twin):
            helm.write_chart(idle=True)
        return twins

    return make


@pytest.fixture
def twins(idle: Callable[[int], Twins], version: int) -> Twins:
    """Installed, and available."""
    twins = idle(version)
    twins.install(env={"LOG": "info"})
    return twins


def books(version: int) -> set[tuple[str, str]]:
    """The owner of a template that only Helm has written."""
    return {("helm", "Update" if version == 3 else "Apply")}


def test_an_upgrade_is_green_at_once_and_waits_as_a_canary(released: Released, version: int) -> None:
    helm = released(SLOW)
    before = helm.shop.primary["spec"]["template"]
    said = helm.upgrade("--wait", ATOMIC[version], "--timeout=60s", tag="6.0.1", env=BLUE, replicas=3)
    assert "runs as a canary first" in told(said)[0]
    assert helm.history == ["superseded", "deployed"]
    primary = helm.shop.primary
    assert (primary["spec"]["template"], primary["spec"]["replicas"]) == (before, 3)
    helm.shop.until_weight(25)
    assert tag_of(helm.shop.get("deployment", "podinfo-canary")["spec"]["template"]) == "6.0.1"
    started = helm.shop.status["startTime"]
    assert "on its way as a canary already" in told(helm.upgrade("--wait", tag="6.0.1", env=BLUE, replicas=3))[0]
    assert helm.shop.status["startTime"] == started
    assert helm.owners == books(version)


def test_a_rollback_during_a_canary_cancels_it_and_helm_3_has_to_force_it(released: Released, version: int) -> None:
    helm = released(SLOW)
    helm.upgrade("--wait", tag="6.0.1")
    helm.shop.until_weight(25)
    helm.rollback(1, *(["--force"] if version == 3 else []))
    assert helm.shop.waiting is None
    helm.shop.until("Failed", 30)
    assert helm.shop.status["conditions"][0]["reason"] == "Cancelled"
    assert helm.shop.leftovers() == []
    assert (helm.shop.live_image, helm.history) == ("6.0.0", ["superseded", "superseded", "deployed"])


def test_an_uninstall_during_a_canary_leaves_nothing_and_what_is_installed_then_is_new(released: Released) -> None:
    helm = released(SLOW, config="v1")
    helm.upgrade(tag="6.0.1", config="v2")
    helm.shop.until_weight(25)
    assert helm.shop.exists("configmap", "v1")  # Helm has deleted it, and the primary still needs it
    helm("uninstall", RELEASE, "--wait", "--timeout=60s")
    eventually(lambda: not helm.shop("get", *EVERYTHING).out, "nothing is left", 30)
    assert told(helm.install(tag="6.0.1")) == []
    assert (helm.shop.live_image, helm.shop.waiting, helm.state) == ("6.0.1", None, "deployed")


def test_an_upgrade_is_promoted_and_a_rollback_then_goes_at_once(released: Released, version: int) -> None:
    helm = released(QUICK)
    helm.upgrade("--wait", tag="6.0.1")
    helm.shop.until("Succeeded")
    assert helm.owners == books(version)
    assert told(helm.upgrade(tag="6.0.1")) == []
    assert (helm.shop.live_image, helm.shop.waiting) == ("6.0.1", None)
    assert "back to proven revision" in told(helm.rollback(1, "--wait", "--timeout=60s"))[0]
    assert (helm.shop.live_image, helm.shop.waiting, helm.state) == ("6.0.0", None, "deployed")


def test_what_was_aborted_stays_out_and_the_release_goes_on_with_the_next(released: Released) -> None:
    helm = released(SLOW)
    helm.upgrade(tag="6.0.1", env=BLUE)
    helm.shop.until_weight(25)
    assert Person(helm.shop)("abort", "podinfo").code == 0
    helm.shop.until("Failed", 30)
    assert "was rejected and stays out" in told(helm.upgrade(tag="6.0.1", env=BLUE))[0]
    assert "canary" in told(helm.upgrade(tag="6.0.2"))[0]
    assert (tag_of(helm.meant), "env" in helm.meant["spec"]["containers"][0]) == ("6.0.2", False)
    assert (helm.shop.live_image, helm.state) == ("6.0.0", "deployed")


def test_an_installed_release_is_live_at_once_and_has_nothing_of_ours(
    idle: Callable[[int], Twins], version: int
) -> None:
    twins = idle(version)
    assert told(twins.install(tag="6.0.1")) == []
    metadata = twins.managed.shop.primary["metadata"]
    assert not [key for key in metadata["labels"] | metadata["annotations"] if key.startswith("detour.dev/")]
    assert (twins.managed.owners, twins.managed.state) == (books(version), "deployed")


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
    seen = helm.shop.primary["metadata"]["generation"]
    helm.shop("wait", "deployment/podinfo", f"--for=jsonpath={{.status.observedGeneration}}={seen}")
    before = helm.shop.get("deployment", RELEASE, "--show-managed-fields")
    for _ in range(2):
        assert "on its way as a canary already" in told(helm.upgrade(tag="6.0.1", env=BLUE))[0]
    assert helm.shop.get("deployment", RELEASE, "--show-managed-fields") == before
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


def test_a_release_takes_over_a_deployment_that_kubectl_applied(idle: Callable[[int], Twins], version: int) -> None:
    twins = idle(version)
    deployment = twins.managed.shop.deployment()
    deployment["spec"] |= {"paused": True, "strategy": {"rollingUpdate": {"maxUnavailable": "100%", "maxSurge": 1}}}
    twins(lambda helm: helm.shop.apply(deployment))
    assert told(twins.install("--take-ownership")) == []
    force = ["--force-conflicts"] if version == 4 else []
    assert "canary" in told(twins.upgrade(*force, tag="6.0.1", env=BLUE))[0]
    twins.upgrade(*force, tag="6.0.2")
    assert twins.managed.shop.live_image == "6.0.0"


def test_helm_4_takes_over_a_release_of_helm_3_whose_upgrade_waits(
    idle: Callable[[int], Twins], programs: dict[str, Path]
) -> None:
    old = idle(3)
    old.install()
    old.upgrade(tag="6.0.1", env=BLUE)
    new = Twins(*(replace(helm, version=4, program=programs["helm4"]) for helm in (old.managed, old.twin)))
    for flags in ([], ["--server-side=true"], []):
        said = new.upgrade(*flags, tag="6.0.1", env=BLUE)
        assert "on its way as a canary already" in told(said)[0]
    assert new.managed.owners == books(4)
    new.upgrade(tag="6.0.2")
    assert new.managed.shop.live_image == "6.0.0"


def test_helm_3_sends_nothing_for_a_rollback_of_the_template_alone(idle: Callable[[int], Twins]) -> None:
    """The primary has that template already. What waits is aborted by hand, or the rollback is forced."""
    twins = idle(3)
    twins.install()
    twins.upgrade(tag="6.0.1")
    twins.managed.rollback(1)
    assert (tag_of(twins.managed.shop.waiting), twins.managed.state) == ("6.0.1", "deployed")


def test_a_rollback_that_has_anything_to_send_cancels_the_canary(twins: Twins) -> None:
    twins.upgrade(tag="6.0.1", labels={"helm.sh/chart": "podinfo-2"})
    said = twins(lambda helm: helm.rollback(1))
    assert "cancelled, the primary stays" in told(said)[0]
    assert twins.managed.shop.waiting is None
