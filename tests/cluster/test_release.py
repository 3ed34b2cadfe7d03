"""A release of the checkout, tried in a clone: everything a user gets, and each of it of that version."""

import hashlib
import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import yaml

from sandbox import build, buildah, cache
from sandbox.detour_image import STAGES
from sandbox.errors import UserError
from sandbox.helm import PARTS
from tests.cluster.kubectl import ROOT

VERSION = "99.0.0"
IMAGES = ("detour", "loadtester")


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What a dry run of the release makes, from what is committed."""
    clone = tmp_path_factory.mktemp("release") / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True, timeout=60)
    for name in ("name", "email"):
        subprocess.run(["git", "-C", str(clone), "config", f"user.{name}", "somebody@example.org"], check=True)
    command = [sys.executable, "-m", "release", VERSION, "--dry-run"]
    done = subprocess.run(command, cwd=clone, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    yield clone / "dist"
    with cache.locked():
        for image in STAGES:
            with suppress(UserError):  # another worker has made and removed the same
                buildah.run("rmi", f"{image}:{VERSION}")


def test_every_artifact_is_there_and_has_its_checksum(dist: Path) -> None:
    lines = [line.split() for line in (dist / "SHA256SUMS").read_text().splitlines()]
    assert {name for _, name in lines} == {path.name for path in dist.iterdir()} - {"SHA256SUMS"}
    assert all(hashlib.sha256((dist / name).read_bytes()).hexdigest() == digest for digest, name in lines)
    wanted = {f"detour-{VERSION}.yaml"}
    wanted |= {f"{image}-{VERSION}.{kind}" for image in IMAGES for kind in ("image.tar.gz", "cdx.json", "tgz")}
    assert {name for _, name in lines} == wanted


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_says_what_it_is_and_of_which_commit(dist: Path, image: str) -> None:
    with tarfile.open(dist / f"{image}-{VERSION}.image.tar.gz") as tar:
        (manifest,) = json.load(tar.extractfile("manifest.json") or pytest.fail("no manifest"))
        config = json.load(tar.extractfile(manifest["Config"]) or pytest.fail("no configuration"))["config"]
    assert manifest["RepoTags"] == [f"detour.dev/{image}:{VERSION}"]
    assert config["User"] == "65532:65532"
    assert config["Labels"]["org.opencontainers.image.version"] == VERSION
    assert len(config["Labels"]["org.opencontainers.image.revision"]) == 40
    assert config["Labels"]["org.opencontainers.image.created"].startswith("20")


@pytest.mark.parametrize("image", IMAGES)
def test_a_bill_lists_all_that_the_lock_pins_and_what_the_base_brings(dist: Path, image: str) -> None:
    bill = json.loads((dist / f"{image}-{VERSION}.cdx.json").read_text())
    purls = [component["purl"].partition("@")[0] for component in bill["components"]]
    pinned = [line.partition("==")[0] for line in (ROOT / "requirements.lock").read_text().splitlines() if "==" in line]
    assert sorted(purl for purl in purls if purl.startswith("pkg:pypi/")) == [f"pkg:pypi/{name}" for name in pinned]
    assert {"pkg:deb/debian/libc6", "pkg:deb/debian/libssl3"} <= set(purls)
    assert ("pkg:deb/debian/hey" in purls) == (image == "loadtester")


def test_the_manifests_name_the_images_of_the_version(dist: Path) -> None:
    manifests = [one for one in yaml.safe_load_all((dist / f"detour-{VERSION}.yaml").read_text()) if one]
    images = {
        container["image"]
        for one in manifests
        if one["kind"] == "Deployment"
        for container in one["spec"]["template"]["spec"]["containers"]
    }
    assert images == {f"detour.dev/detour:{VERSION}"}


@pytest.mark.parametrize("chart", IMAGES)
def test_a_chart_is_of_the_version_and_so_is_the_image_that_it_installs(dist: Path, chart: str) -> None:
    helm = build.programs(PARTS)["helm4"]
    package = str(dist / f"{chart}-{VERSION}.tgz")
    shown = subprocess.run([helm, "show", "chart", package], capture_output=True, text=True, timeout=60, check=True)
    assert {yaml.safe_load(shown.stdout)[key] for key in ("version", "appVersion")} == {VERSION}
    made = subprocess.run([helm, "template", "x", package], capture_output=True, text=True, timeout=60, check=True)
    assert f"image: detour.dev/{chart}:{VERSION}" in made.stdout.replace('"', "")
