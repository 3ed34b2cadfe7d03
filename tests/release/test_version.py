"""The version in the tree: one home, and what follows it."""

from pathlib import Path

import pytest

import detour
from release import version
from sandbox.errors import UserError
from sandbox.layout import CHECKOUT

DEPLOYMENT = """\
containers:
  - image: detour.dev/detour:dev
  - image: detour.dev/loadtester:1.0.0  # of before
  - image: docker.io/library/busybox:dev
annotations: {detour.dev/policy: dev, other: "example.org/detour.dev/detour"}
"""
CHART = 'name: detour\nversion: 0.1.0\nappVersion: "dev"\nkubeVersion: ">=1.30"\n'


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for path, text in (
        (version.HOME, '"""What it is."""\n\n__version__ = "0.1.0"\n'),
        ("manifests/base/deployment.yaml", DEPLOYMENT),
        ("manifests/charts/detour/Chart.yaml", CHART),
        ("docs/deployment.yaml", DEPLOYMENT),
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def test_the_sources_the_images_and_the_charts_get_the_version(tree: Path) -> None:
    version.write(tree, "1.2.3")
    assert version.read(tree) == "1.2.3"
    assert (tree / "manifests/base/deployment.yaml").read_text() == (
        DEPLOYMENT.replace("detour:dev", "detour:1.2.3").replace("loadtester:1.0.0", "loadtester:1.2.3")
    )
    chart = (tree / "manifests/charts/detour/Chart.yaml").read_text()
    assert chart == 'name: detour\nversion: "1.2.3"\nappVersion: "1.2.3"\nkubeVersion: ">=1.30"\n'
    assert (tree / "docs/deployment.yaml").read_text() == DEPLOYMENT


@pytest.mark.parametrize("text", ["1.2", "v1.2.3", "1.2.3-rc.1", "01.2.3", "1.2.3\n", "", "1..3"])
def test_what_is_no_version_is_refused_by_an_example(text: str) -> None:
    with pytest.raises(UserError, match=r"VERSION=1\.4\.0"):
        version.parse(text)


def test_versions_are_compared_by_their_numbers() -> None:
    assert version.parse("1.10.0") > version.parse("1.9.9")


def test_a_tree_that_says_no_version_is_told_how_to(tree: Path) -> None:
    (tree / version.HOME).write_text("")
    with pytest.raises(UserError, match="it needs a line __version__"):
        version.read(tree)


def test_the_checkout_says_the_version_that_the_command_prints() -> None:
    assert version.read(CHECKOUT) == detour.__version__
