"""Tools prune what only the old version needs as soon as the new one is applied: its next pod starts even so."""

import hashlib
import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analyzer.kube.client import Client
from analyzer.kube.errors import Refused
from analyzer.kube.resources import CONFIG_MAPS
from tests.cluster.kubectl import KUBECONFIG, Object, eventually, kubectl
from tests.cluster.person import Person
from tests.cluster.podless import Podless
from tests.cluster.shop import Shop
from webhook import stash

MARK = "podinfo.detour.dev/in-use"
FORBIDDEN: list[Object] = [
    {"data": {"version": "6.6.6"}},
    {"immutable": True},
    {"metadata": {"annotations": {"a": "b"}}},
    {"metadata": {"labels": {"app": "other"}}},
    {"metadata": {"labels": {"app": None}}},
    {"metadata": {"finalizers": ["example.com/for-ever"]}},
]
CALM = {"interval": "30s", "metrics": []}


def settings(tag: str, kind: str = "ConfigMap") -> Object:
    """What goes with a version, under a name with the hash of its content, as kustomize gives it."""
    name = f"settings-{hashlib.sha256(tag.encode()).hexdigest()[:10]}"
    content = "stringData" if kind == "Secret" else "data"
    metadata = {"name": name, "labels": {"app": "podinfo"}}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, content: {"version": tag}}


def name_of(tag: str) -> str:
    return str(settings(tag)["metadata"]["name"])


class Kustomized(Shop):
    """Every version needs settings of its own, which come with it."""

    kind = "ConfigMap"

    def deployment(self, tag: str = "6.0.0", **container: Any) -> Object:
        field = "secretKeyRef" if self.kind == "Secret" else "configMapKeyRef"
        setting = {"name": "VERSION", "valueFrom": {field: {"name": name_of(tag), "key": "version"}}}
        return super().deployment(tag, env=[setting], **container)

    def apply(self, *objects: Object, arguments: tuple[str, ...] = ()) -> Any:
        tags = [found["spec"]["template"]["spec"] for found in objects if found["kind"] == "Deployment"]
        with_it = [settings(spec["containers"][0]["image"].rpartition(":")[2], self.kind) for spec in tags]
        return super().apply(*with_it, *objects, arguments=arguments)

    def ship(self, tag: str, *arguments: str) -> None:
        """`kubectl apply -k` with pruning: the new version, and nothing of any other any more."""
        self.apply(self.deployment(tag), arguments=arguments)
        eventually(lambda: self.live_image == tag or self.marks("6.0.0"), "it is held", 10)
        self.prune(tag)

    def prune(self, tag: str) -> None:
        """Delete the settings of all other versions."""
        for name in self("get", self.kind, "-l", "app=podinfo", "-o", "name").out.split():
            if not name.endswith(name_of(tag)):
                self("delete", name, "--wait=false")

    def marks(self, tag: str) -> list[str]:
        """The finalizers of the settings of a version."""
        found = self("get", self.kind, name_of(tag), "--ignore-not-found", "-o", "json").out
        return json.loads(found)["metadata"].get("finalizers") or [] if found else []

    def has(self, tag: str) -> bool:
        return self.exists(self.kind, name_of(tag))

    def until_released(self, tag: str, seconds: float = 10) -> None:
        """Wait until the settings of a version are gone."""
        eventually(lambda: not self.has(tag), f"the settings of {tag} are gone", seconds, lambda: self.marks(tag))


class Idle(Kustomized, Podless):
    """The same without a pod: what is held follows from the Deployment alone."""

    def open(self) -> None:
        Podless.open(self)
        self.create()


@pytest.fixture
def kustomized() -> Iterator[Kustomized]:
    """A shop with a Canary that guards it, and takes its time."""
    yield from opened(Kustomized(f"shop-{secrets.token_hex(3)}", analysis=CALM))


@pytest.fixture
def idle() -> Iterator[Idle]:
    yield from opened(Idle(f"idle-{secrets.token_hex(3)}"))


def opened(shop: Any) -> Iterator[Any]:
    try:
        shop.open()
        yield shop
    finally:
        kubectl("delete", "namespace", shop.namespace, "--wait=false", "--ignore-not-found")


def pods(shop: Shop) -> dict[str, bool]:
    """The primary's pods by name, and whether each is ready."""
    found = shop.get("pods", "-l", "app=podinfo")["items"]
    return {
        pod["metadata"]["name"]: all(
            status["ready"] for status in pod["status"].get("containerStatuses") or [{"ready": 0}]
        )
        for pod in found
        if "deletionTimestamp" not in pod["metadata"]
    }


def lose_a_pod(shop: Shop) -> None:
    """A pod of the primary is deleted, and the one that takes its place is ready."""
    before = pods(shop)
    lost = next(iter(before))
    shop("delete", "pod", lost, "--wait=false")
    eventually(
        lambda: lost not in pods(shop) and len(pods(shop)) == len(before) and all(pods(shop).values()),
        "a new pod of the primary is ready",
        20,
        lambda: shop("describe", "pods", "-l", "app=podinfo").out[-1500:],
    )


def test_a_new_pod_of_the_primary_starts_though_its_config_map_was_pruned_which_goes_after_the_promotion(
    kustomized: Kustomized,
) -> None:
    kustomized.ship("6.0.1")
    assert kustomized.get("configmap", name_of("6.0.0"))["metadata"]["deletionTimestamp"]
    lose_a_pod(kustomized)
    assert kustomized.live_image == "6.0.0"
    told = eventually(lambda: [text for text in kustomized.events("Deployment") if "is kept" in text], "it is told", 5)
    assert told[0].startswith(f"ConfigMap {name_of('6.0.0')} was deleted and is kept until podinfo.")
    assert Person(kustomized)("promote", "podinfo", "--reason", "enough seen").code == 0
    kustomized.until("Succeeded")
    kustomized.until_released("6.0.0")
    assert kustomized.has("6.0.1")
    assert kustomized.marks("6.0.1") == []


def test_after_a_failed_canary_it_is_kept_until_another_version_has_taken_over(kustomized: Kustomized) -> None:
    kustomized.ship("6.0.1")
    kustomized.until("Progressing", 20)
    kustomized.apply(kustomized.deployment("6.0.0"))
    kustomized.until("Failed", 40)
    assert kustomized.waiting is None
    lose_a_pod(kustomized)
    assert kustomized.marks("6.0.0") == [MARK]
    kustomized.apply(kustomized.deployment("6.0.2"), arguments=("--field-manager=detour-bypass",))
    kustomized.until_released("6.0.0")


def test_when_the_canary_object_is_deleted_what_the_primary_needs_is_kept_all_the_same(kustomized: Kustomized) -> None:
    kustomized.ship("6.0.1")
    kustomized("delete", "canary", "podinfo")
    kustomized.until_gone()
    eventually(lambda: kustomized.waiting is None, "what waited is dropped", 20)
    lose_a_pod(kustomized)
    assert kustomized.set_image("6.0.2").warnings == []
    kustomized("set", "env", "deployment/podinfo", "VERSION=6.0.2")
    kustomized.until_released("6.0.0")


def test_what_nobody_pruned_bears_no_mark_after_the_canary(idle: Idle) -> None:
    idle.apply(idle.deployment("6.0.1"))
    eventually(lambda: idle.marks("6.0.0") == [MARK], "it is held", 10)
    assert idle.marks("6.0.1") == []
    idle.apply(idle.deployment("6.0.0"))
    eventually(lambda: not idle.marks("6.0.0"), "it is let go", 10)
    assert idle.get("configmap", name_of("6.0.0"))["metadata"]["labels"] == {"app": "podinfo"}


def test_the_tool_that_applied_it_sees_no_drift_in_what_is_held(idle: Idle) -> None:
    idle.apply(idle.deployment("6.0.1"))
    eventually(lambda: idle.marks("6.0.0"), "it is held", 10)
    manifest = json.dumps(settings("6.0.0"))
    assert idle("diff", "-f", "-", stdin=manifest, check=False).code == 0
    assert "unchanged" in idle("apply", "-f", "-", stdin=manifest).out
    server_side = ("--server-side", "--force-conflicts", "-f", "-")
    idle("apply", *server_side, stdin=manifest)
    assert idle("diff", *server_side, stdin=manifest, check=False).out == ""
    assert idle.marks("6.0.0") == [MARK]


def test_a_secret_is_held_where_the_owner_of_the_namespace_allows_it_and_told_where_not(idle: Idle) -> None:
    idle.kind = "Secret"
    idle.apply(idle.deployment("6.0.1"), arguments=("--field-manager=detour-bypass",))
    idle.apply(idle.deployment("6.0.2"))
    told = eventually(
        lambda: [text for text in idle.events("Deployment") if "cannot be held" in text], "it is told", 10
    )
    assert f"Secret {name_of('6.0.1')}" in told[0]
    assert "ClusterRole detour-secret-holder" in told[0]
    idle(
        "create",
        "rolebinding",
        "holder",
        "--clusterrole=detour-secret-holder",
        "--serviceaccount=detour:detour-analyzer",
    )
    idle.apply(idle.deployment("6.0.1"))
    eventually(lambda: idle.waiting is None, "the next update is another", 5)
    idle.apply(idle.deployment("6.0.3"))
    eventually(lambda: idle.marks("6.0.1") == [MARK], "it is held", 10)
    idle.prune("6.0.3")
    idle.apply(idle.deployment("6.0.4"), arguments=("--field-manager=detour-bypass",))
    idle.until_released("6.0.1")


def test_a_service_account_is_held_too(idle: Idle) -> None:
    idle("create", "serviceaccount", "old")
    idle("set", "serviceaccount", "deployment/podinfo", "old", "--field-manager=detour-bypass")
    idle("set", "serviceaccount", "deployment/podinfo", "new")
    held = "-o=jsonpath={.metadata.finalizers}"
    eventually(lambda: MARK in idle("get", "serviceaccount", "old", held).out, "it is held", 10)
    idle("delete", "deployment", "podinfo")
    eventually(lambda: MARK not in idle("get", "serviceaccount", "old", held).out, "it is let go", 10)


def test_what_two_applications_need_is_held_for_each(idle: Idle) -> None:
    for name in ("podinfo", "worker"):
        found = idle.deployment()
        found["metadata"]["name"] = name
        idle.create(found)
        idle("set", "env", f"deployment/{name}", "VERSION=none")
    both = [MARK, "worker.detour.dev/in-use"]
    eventually(lambda: sorted(idle.marks("6.0.0")) == both, "both hold it", 10, lambda: idle.marks("6.0.0"))
    idle.prune("none")
    idle("delete", "deployment", "podinfo")
    eventually(lambda: idle.marks("6.0.0") == both[1:], "one has let go", 10, lambda: idle.marks("6.0.0"))
    idle("set", "env", "deployment/worker", "VERSION=none", "--field-manager=detour-bypass")
    idle.until_released("6.0.0")


def test_a_namespace_is_deleted_in_mid_canary_without_a_wait(idle: Idle) -> None:
    idle.ship("6.0.1")
    kubectl("delete", "namespace", idle.namespace, "--timeout=15s")


def test_a_mark_that_came_with_a_copy_is_taken_off(idle: Idle) -> None:
    copied = settings("copied")
    copied["metadata"] |= {"finalizers": ["elsewhere.detour.dev/in-use"]}
    copied["metadata"]["labels"] |= {"detour.dev/in-use": "true"}
    idle("create", "-f", "-", stdin=json.dumps(copied))
    eventually(lambda: not idle.marks("copied"), "it bears no mark", 10, lambda: idle.marks("copied"))


def test_a_label_taken_away_lets_go_of_what_is_not_needed_and_keeps_what_is(idle: Idle) -> None:
    idle.ship("6.0.1")
    kubectl("label", "namespace", idle.namespace, f"{stash.POLICY}-")
    eventually(lambda: idle.waiting is None, "what waited is dropped", 10)
    assert idle.marks("6.0.0") == [MARK]
    idle("delete", "deployment", "podinfo")
    idle.until_released("6.0.0")


def test_the_right_to_hold_goes_no_further(idle: Idle, tmp_path: Path) -> None:
    token = kubectl("-n", "detour", "create", "token", "detour-analyzer").out.strip()
    config = json.loads(KUBECONFIG.read_text())
    config["users"][0]["user"] = {"token": token}
    (tmp_path / "analyzer").write_text(json.dumps(config))
    analyzer, where = Client.connect(str(tmp_path / "analyzer")), (CONFIG_MAPS, idle.namespace, name_of("6.0.0"))
    for patch in FORBIDDEN:
        with pytest.raises(Refused, match="may change nothing else"):
            analyzer.merge(*where, patch, dry_run=True)
    analyzer.merge(*where, {"metadata": {"finalizers": [MARK], "labels": {"detour.dev/in-use": "true"}}}, dry_run=True)
    with pytest.raises(Refused, match="cannot get resource"):
        analyzer.get(*where)
