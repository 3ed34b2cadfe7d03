"""The overlays: each can be applied as it is, and changes what it says, and nothing else."""

from typing import Any

import pytest
import yaml

from tests.manifests.kubectl import kubectl
from tests.manifests.rendered import MANIFESTS

pytestmark = pytest.mark.cluster

Key = tuple[str, str]
NAMES = sorted(folder.name for folder in (MANIFESTS / "overlays").iterdir())
THEIRS = ("alertproviders.flagger.app", "canaries.flagger.app", "metrictemplates.flagger.app")


def rendered(path: str) -> dict[Key, dict[str, Any]]:
    """What `kubectl apply -k` would send, by kind and name."""
    built = kubectl("kustomize", str(MANIFESTS / path))
    assert built.returncode == 0, built.stderr
    return {(o["kind"], o["metadata"]["name"]): o for o in yaml.safe_load_all(built.stdout)}


def differences(name: str) -> set[Key]:
    """Which objects are other ones than without the overlay, or missing on one side."""
    base, overlay = rendered("."), rendered(f"overlays/{name}")
    return {key for key in base.keys() | overlay.keys() if base.get(key) != overlay.get(key)}


@pytest.mark.parametrize("name", NAMES)
def test_an_overlay_says_how_it_is_applied_and_has_all_that_detour_consists_of(name: str) -> None:
    text = (MANIFESTS / "overlays" / name / "kustomization.yaml").read_text()
    assert f"kubectl apply -k manifests/overlays/{name}\n" in text
    objects = rendered(f"overlays/{name}")
    assert {("Deployment", "detour"), ("MutatingWebhookConfiguration", "zz-detour")} < objects.keys()
    assert all(o["metadata"]["labels"]["app.kubernetes.io/name"] == "detour" for o in objects.values())


def test_in_another_namespace_nothing_is_left_in_the_usual_one() -> None:
    objects = rendered("overlays/another-namespace")
    (home,) = [name for kind, name in objects if kind == "Namespace"]
    assert home != "detour"
    text = yaml.safe_dump_all([o for key, o in objects.items() if key[0] != "CustomResourceDefinition"], width=10_000)
    assert "namespace: detour\n" not in text
    assert "serviceaccount:detour:" not in text
    assert "- detour\n" not in text


def test_beside_flagger_its_own_definitions_are_left_alone() -> None:
    assert differences("beside-flagger") == {("CustomResourceDefinition", name) for name in THEIRS}
    assert not rendered("overlays/beside-flagger").keys() & differences("beside-flagger")


def test_highly_available_is_one_replica_a_node_which_others_give_way_to() -> None:
    objects = rendered("overlays/high-availability")
    assert differences("high-availability") == {("Deployment", "detour"), ("PriorityClass", "detour")}
    spec = objects["Deployment", "detour"]["spec"]
    assert (spec["replicas"], spec["template"]["spec"]["priorityClassName"]) == (3, "detour")
    nodes, zones = spec["template"]["spec"]["topologySpreadConstraints"]
    assert (nodes["topologyKey"], nodes["whenUnsatisfiable"]) == ("kubernetes.io/hostname", "DoNotSchedule")
    assert zones["whenUnsatisfiable"] == "ScheduleAnyway"
