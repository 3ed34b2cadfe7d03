"""Detour in a namespace of another name: everything that has to follow it does."""

import re
import shutil
from pathlib import Path

import pytest

from tests.manifests.kubectl import kubectl
from tests.manifests.rendered import MANIFESTS

pytestmark = pytest.mark.cluster


def test_no_policy_takes_the_analyzer_of_another_namespace_for_somebody_else(tmp_path: Path) -> None:
    shutil.copytree(MANIFESTS, tmp_path / "manifests")
    kustomization = tmp_path / "manifests/kustomization.yaml"
    kustomization.write_text(kustomization.read_text().replace("namespace: detour\n", "namespace: elsewhere\n"))
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    (overlay / "kustomization.yaml").write_text("resources: [../manifests]\ncomponents: [../manifests/enforce]\n")
    rendered = kubectl("kustomize", str(overlay)).stdout
    assert re.findall(r"system:serviceaccount:([a-z]+):detour-analyzer", rendered) == ["elsewhere"] * 3
    assert "namespace: elsewhere\n    parameterNotFoundAction" in rendered
    assert len(re.findall(r"- kube-system\n +- elsewhere\n", rendered)) == 3
    assert not re.search(r"- kube-system\n +- detour\n", rendered)
