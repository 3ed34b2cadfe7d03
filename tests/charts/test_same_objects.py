"""An installation by Helm is what one by kustomize is: rendered by both, and compared object by object."""

import pytest

from tests.charts.generated import rendered
from tests.charts.rendering import HELM, Key, Object, objects, template

pytestmark = pytest.mark.cluster  # its programs are the sandbox's

KEPT = {"helm.sh/resource-policy": "keep"}


def by_kustomize(*components: str, namespace: str = "detour") -> dict[Key, Object]:
    """Without the namespace, which is there before a release is."""
    found = objects(rendered(*components, namespace=namespace))
    return {key: one for key, one in found.items() if key[0] != "Namespace"}


def by_helm(version: int, *options: str, namespace: str = "detour") -> dict[Key, Object]:
    """Without what Helm alone knows: definitions outlive the release."""
    found = objects(template(version, "detour", *options, namespace=namespace))
    for (kind, _), one in found.items():
        if kind == "CustomResourceDefinition":
            assert one["metadata"].pop("annotations") == KEPT
    return found


@pytest.mark.parametrize("version", HELM)
def test_the_default_values_are_the_base(version: int) -> None:
    assert by_helm(version) == by_kustomize()


@pytest.mark.parametrize("version", HELM)
@pytest.mark.parametrize(
    ("option", "component"),
    [
        ("enforce=true", "enforce"),
        ("certificates.from=secret", "certificates/own-secret"),
        ("certificates.from=cert-manager", "certificates/cert-manager"),
    ],
)
def test_a_value_is_what_the_component_of_the_same_name_is(version: int, option: str, component: str) -> None:
    helm, kustomized = by_helm(version, "--set", option), by_kustomize(component)
    assert helm == kustomized
    assert helm != by_kustomize()


def test_everything_that_has_to_follows_the_release_into_another_namespace() -> None:
    for options, components in (
        ((), ()),
        (("--set=enforce=true,certificates.from=cert-manager",), ("enforce", "certificates/cert-manager")),
    ):
        assert by_helm(4, *options, namespace="elsewhere") == by_kustomize(*components, namespace="elsewhere")


@pytest.mark.parametrize("version", HELM)
def test_telemetry_is_that_of_the_folder_of_the_same_name(version: int) -> None:
    values = ",".join(f"{name}.enabled=true" for name in ("serviceMonitor", "prometheusRule", "dashboard"))
    found = by_helm(version, "--set", values, namespace="elsewhere")
    added = {key: one for key, one in found.items() if key not in by_helm(version)}
    assert added == objects(rendered(folder="telemetry", namespace="elsewhere"))


@pytest.mark.parametrize("version", HELM)
def test_the_load_tester_is_the_same_under_the_name_of_the_post(version: int) -> None:
    helm = objects(template(version, "loadtester", release="flagger-loadtester", namespace="test"))
    assert helm == objects(rendered(folder="loadtester"))


def test_the_load_tester_follows_its_release_into_another_namespace() -> None:
    helm = template(4, "loadtester", release="flagger-loadtester", namespace="shop")
    here = template(4, "loadtester", release="flagger-loadtester", namespace="test")
    assert helm == here.replace("namespace: test", "namespace: shop")


def test_a_token_is_asked_for_as_the_component_of_that_name_has_it() -> None:
    given = ("--set=tokenSecret=flagger-loadtester-token",)
    helm = objects(template(4, "loadtester", *given, release="flagger-loadtester", namespace="test"))
    assert helm == objects(rendered("loadtester/token", folder="loadtester"))
