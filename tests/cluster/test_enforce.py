"""With the component `enforce` nobody but the analyzer changes the template of a managed Deployment.

Detour is installed anew for it, and put back after.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.kubectl import ROOT, eventually, kubectl
from tests.cluster.shop import IMAGE, QUICK, OpenShop, Shop

pytestmark = pytest.mark.alone

WEBHOOKS = ("mutatingwebhookconfiguration", "zz-detour")
POLICY = ("validatingadmissionpolicy,validatingadmissionpolicybinding", "detour-enforce")


@pytest.fixture(scope="module", autouse=True)
def _enforced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    overlay = tmp_path_factory.mktemp("overlay").resolve()
    manifests = os.path.relpath(ROOT / "manifests", overlay)
    text = f"resources: [{manifests}]\ncomponents: [{manifests}/enforce]\n"
    (overlay / "kustomization.yaml").write_text(text)
    install(overlay)
    yield
    kubectl("delete", *POLICY)
    install(ROOT / "manifests")


def install(folder: Path) -> None:
    kubectl("apply", "-k", str(folder))
    kubectl("-n", "detour", "rollout", "status", "deployment/detour", "--timeout=120s")


def bypassing(shop: Shop, tag: str) -> None:
    shop("set", "image", "deployment/podinfo", f"podinfo={IMAGE}:{tag}", "--field-manager=detour-bypass")


def last_message(shop: Shop) -> str:
    return str(shop.status["history"][-1]["message"])


def test_what_would_go_directly_is_promoted_by_the_analyzer_at_once(open_shop: OpenShop) -> None:
    shop = open_shop(analysis=QUICK)
    shop.set_image("6.0.1")
    shop.until("Succeeded")
    back = shop.set_image("6.0.0")
    assert "is promoted at once, it is proven" in back.warnings[0]
    eventually(lambda: shop.live_image == "6.0.0", "the proven version is back", 20)
    shop.until("Succeeded", 30)
    assert last_message(shop) == "promoted directly, it is proven"

    shop("scale", "deployment/podinfo", "--replicas=0")
    assert "0 replicas are wanted" in shop.set_image("6.0.2").warnings[0]
    eventually(lambda: shop.live_image == "6.0.2", "what serves nobody is changed", 20)
    shop.until("Succeeded", 30)
    assert last_message(shop) == "promoted directly, 0 replicas are wanted"


def test_without_the_webhooks_configuration_nobody_changes_a_template_but_by_permission(open_shop: OpenShop) -> None:
    shop = open_shop(replicas=1)
    kubectl("delete", *WEBHOOKS)
    try:
        change = ("set", "image", "deployment/podinfo", f"podinfo={IMAGE}:6.0.1")
        refused = shop(*change, check=False)
        assert "Detour alone changes the template of this Deployment" in refused.err
        assert shop(*change, "--dry-run=server").code == 0
        assert shop("label", "deployment/podinfo", "team=shop").code == 0
        assert shop("rollout", "restart", "deployment/podinfo").code == 0
        assert shop.live_image == "6.0.0"
        bypassing(shop, "6.0.1")
        assert shop.live_image == "6.0.1"
    finally:
        kubectl("apply", "-k", str(ROOT / "manifests"))
        eventually(lambda: "caBundle" in kubectl("get", *WEBHOOKS, "-o", "yaml").out, "the caBundle is back", 60)
