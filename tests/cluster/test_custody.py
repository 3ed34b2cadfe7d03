"""Tools prune what only the old version needs as soon as the new one is applied: its next pod starts even so."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from analyzer.agenda import Key
from analyzer.holdings import Holdings
from analyzer.kube.client import Client
from analyzer.kube.errors import Refused
from analyzer.kube.resources import CONFIG_MAPS
from tests.cluster.kubectl import KUBECONFIG, Object, eventually, kubectl
from tests.cluster.kustomized import Idle, Kustomized, lose_a_pod, name_of, settings
from tests.cluster.namespaces import unique
from tests.cluster.person import Person
from tests.cluster.shop import CALM, Shop, opened
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


@pytest.fixture
def kustomized() -> Iterator[Kustomized]:
    """A shop with a Canary that guards it, and takes its time."""
    with opened(Kustomized(unique("shop"), analysis=CALM)) as shop:
        yield shop


@pytest.fixture
def idle() -> Iterator[Idle]:
    with opened(Idle(unique("idle"))) as shop:
        yield shop


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


def test_what_a_tool_deleted_before_it_could_be_held_can_be_read_as_it_was(idle: Idle, tmp_path: Path) -> None:
    """Putting it back is a matter of milliseconds, which the tests with Helm lose every other time."""
    before = idle.get("configmap", name_of("6.0.0"))
    idle("delete", "configmap", name_of("6.0.0"))
    found = as_analyzer(tmp_path).as_of(
        CONFIG_MAPS, idle.namespace, name_of("6.0.0"), before["metadata"]["resourceVersion"]
    )
    assert found
    assert found["data"] == before["data"]


def test_after_a_failed_canary_it_is_kept_until_another_version_has_taken_over(kustomized: Kustomized) -> None:
    kustomized.ship("6.0.1")
    kustomized.until("Progressing", 20)
    assert Person(kustomized)("abort", "podinfo").code == 0
    kustomized.until("Failed", 40)
    kustomized.apply(kustomized.deployment("6.0.0"))
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
    let_hold_secrets(idle)
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


def test_the_next_process_finds_what_is_held_of_secrets_where_it_may_look(idle: Idle, tmp_path: Path) -> None:
    held = settings("6.0.0", "Secret")
    held["metadata"] |= {"finalizers": [MARK], "labels": {"detour.dev/in-use": "true"}}
    idle("create", "-f", "-", stdin=json.dumps(held))
    touched: list[Key] = []
    holdings = Holdings(as_analyzer(tmp_path), touched.append)
    holdings.find_secrets(idle.namespace)
    assert touched == []
    let_hold_secrets(idle)

    def found_now() -> list[Key]:
        holdings.find_secrets(idle.namespace)
        return touched

    assert eventually(found_now, "it may look", 5) == [(idle.namespace, "podinfo")]
    (found,) = holdings.of(touched[0]).values()
    assert "data" not in found
    idle("patch", "secret", name_of("6.0.0"), "--type=merge", "-p", '{"metadata":{"finalizers":null}}')


def test_the_right_to_hold_goes_no_further(idle: Idle, tmp_path: Path) -> None:
    analyzer, where = as_analyzer(tmp_path), (CONFIG_MAPS, idle.namespace, name_of("6.0.0"))
    for patch in FORBIDDEN:
        with pytest.raises(Refused, match="may change nothing else"):
            analyzer.merge(*where, patch, dry_run=True)
    analyzer.merge(*where, {"metadata": {"finalizers": [MARK], "labels": {"detour.dev/in-use": "true"}}}, dry_run=True)
    with pytest.raises(Refused, match="may delete nothing else"):
        analyzer.delete(*where, idle.get("configmap", where[2])["metadata"]["uid"])
    with pytest.raises(Refused, match="may create nothing else"):
        analyzer.create(CONFIG_MAPS, settings("6.0.9") | {"metadata": {"name": "x", "namespace": idle.namespace}})
    with pytest.raises(Refused, match="cannot get resource"):
        analyzer.get(*where)


def let_hold_secrets(shop: Shop) -> None:
    """What the owner of the namespace types."""
    role, account = "--clusterrole=detour-secret-holder", "--serviceaccount=detour:detour-analyzer"
    shop("create", "rolebinding", "detour-secret-holder", role, account)


def as_analyzer(directory: Path) -> Client:
    """A client with the analyzer's own rights."""
    config = json.loads(KUBECONFIG.read_text())
    config["users"][0]["user"] = {"token": kubectl("-n", "detour", "create", "token", "detour-analyzer").out.strip()}
    (directory / "analyzer").write_text(json.dumps(config))
    return Client.connect(str(directory / "analyzer"))
