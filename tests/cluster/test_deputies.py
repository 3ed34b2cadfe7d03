"""Confused deputies: through a Canary nobody has the analyzer do what he may not do himself."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.home import HOME
from tests.cluster.kubectl import Object, get
from tests.cluster.namespaces import namespace
from tests.cluster.person import hire
from tests.cluster.podless import podless
from tests.cluster.shop import OpenShop, Shop

CHANGED = [
    {"op": "remove", "path": "/spec/template/spec/volumes"},
    {"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "x:1"},
]


@pytest.fixture(scope="module")
def stranger() -> Iterator[str]:
    """A namespace of somebody else, with a template and a ConfigMap that are none of other people's business."""
    with namespace("stranger") as name:
        template = Shop(name).template()
        template["spec"]["provider"]["headers"] = {"Authorization": ["Bearer t0p-secret"]}
        settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a": "b"}}
        Shop(name).apply(template, settings)
        yield name


def test_no_canary_uses_a_template_or_a_secret_of_another_namespace(open_shop: OpenShop, stranger: str) -> None:
    """Not by saying so, which only the operator allows, and not by a name that leads there."""
    shop = open_shop(replicas=1)
    refer(shop, {"name": "success-rate", "namespace": stranger})
    shop.set_image("6.0.1")
    shop.says(
        f"spec.analysis.metrics[success-rate].templateRef.namespace: namespace {stranger} is not this one, and does "
        f"not share its templates; make a template of your own in namespace {shop.namespace}, or have the analyzer "
        f"started with --allow-references-to={stranger}",
    )
    refer(shop, {"name": "nothing", "namespace": HOME})
    shop.says("there is no MetricTemplate nothing in namespace detour")
    template = shop.template()
    template["spec"]["provider"]["secretRef"] = {"name": f"../../{HOME}/secrets/detour-ca"}
    shop.apply(template)
    refer(shop, {"name": "success-rate"})
    shop.says(f"Secret ../../{HOME}/secrets/detour-ca is not in the template's namespace")
    assert shop.live_image == "6.0.0"
    shop("delete", "canary/podinfo", "--wait=false")


def refer(shop: Shop, reference: Object) -> None:
    metric = {"name": "success-rate", "interval": "1m", "thresholdRange": {"min": 99}, "templateRef": reference}
    shop.specify(analysis={"metrics": [metric]})


def test_a_volume_whose_name_leads_elsewhere_has_nothing_of_others_held(stranger: str, tmp_path: Path) -> None:
    volume = {"name": "v", "configMap": {"name": f"../../{stranger}/configmaps/settings"}}
    with podless(pod={"volumes": [volume]}) as shop:
        shop.create()
        editor = hire(shop, tmp_path, "editor", "edit")
        editor.kubectl("patch", "deployment/podinfo", "--type=json", "-p", json.dumps(CHANGED))
        shop.tells("is gone already")
        assert shop.waiting
    assert "finalizers" not in get("-n", stranger, "configmap", "settings")["metadata"]


def test_an_editor_of_one_namespace_may_do_nothing_more_in_another_through_the_roles_that_come_along(
    tmp_path: Path,
) -> None:
    with podless() as shop:
        editor = hire(shop, tmp_path, "editor", "edit")
        for verb, kind in (("create", "canaries"), ("patch", "metrictemplates"), ("promote", "canaries.detour.dev")):
            assert editor.kubectl("-n", "default", "auth", "can-i", verb, kind).out.strip() == "no"
        for verb, kind in (("create", "canaries"), ("patch", "metrictemplates")):
            assert editor.kubectl("auth", "can-i", verb, kind).out.strip() == "yes"
        for kind in ("canarypolicies", "clusterroles", "validatingadmissionpolicies"):
            assert editor.kubectl("auth", "can-i", "create", kind).out.strip() == "no"
