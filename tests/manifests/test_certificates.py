"""The components for a certificate of the user's own: what they add, and which rights they take away."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.manifests.kubectl import kubectl
from tests.manifests.rendered import MANIFESTS

pytestmark = pytest.mark.cluster


def rendered(folder: Path, component: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Every object by its kind and name, as an overlay in a namespace of another name has them."""
    shutil.copytree(MANIFESTS, folder / "manifests")
    kustomization = folder / "manifests/kustomization.yaml"
    kustomization.write_text(kustomization.read_text().replace("namespace: detour\n", "namespace: elsewhere\n"))
    overlay = folder / "overlay"
    overlay.mkdir()
    (overlay / "kustomization.yaml").write_text(
        f"resources: [../manifests]\ncomponents: [../manifests/certificates/{component}]\n"
    )
    built = kubectl("kustomize", str(overlay))
    assert built.returncode == 0, built.stderr
    return {(o["kind"], o["metadata"]["name"]): o for o in yaml.safe_load_all(built.stdout)}


@pytest.mark.parametrize(("component", "source"), [("own-secret", "secret"), ("cert-manager", "cert-manager")])
def test_the_secret_is_mounted_where_it_is_looked_at_and_no_right_to_any_is_left(
    component: str, source: str, tmp_path: Path
) -> None:
    objects = rendered(tmp_path, component)
    pod = objects["Deployment", "detour"]["spec"]["template"]["spec"]
    webhook, analyzer = pod["containers"]
    assert f"--certificates-from={source}" in analyzer["args"]
    assert [mount["readOnly"] for mount in analyzer["volumeMounts"] if mount["name"] == "secret"] == [True]
    assert "secret" not in [mount["name"] for mount in webhook["volumeMounts"]]
    roles = [o for (kind, _), o in objects.items() if kind == "Role"]
    assert roles
    assert "secrets" not in [resource for role in roles for rule in role["rules"] for resource in rule["resources"]]
    assert ("RoleBinding", "detour-ca") not in objects


def test_what_cert_manager_issues_is_for_the_service_and_gets_into_the_ca_bundle(tmp_path: Path) -> None:
    objects = rendered(tmp_path, "cert-manager")
    assert objects["Certificate", "detour-tls"]["spec"]["dnsNames"] == ["detour.elsewhere.svc"]
    annotations = objects["MutatingWebhookConfiguration", "zz-detour"]["metadata"]["annotations"]
    assert annotations["cert-manager.io/inject-ca-from"] == "elsewhere/detour-tls"
    theirs = [o["metadata"] for (kind, _), o in objects.items() if kind in ("Issuer", "Certificate")]
    assert {metadata["namespace"] for metadata in theirs} == {"elsewhere"}
    assert all(metadata["labels"]["app.kubernetes.io/name"] == "detour" for metadata in theirs)
