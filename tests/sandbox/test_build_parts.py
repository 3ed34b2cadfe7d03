"""The table of parts agrees with what their go.mod files pin."""

import re

import pytest

from sandbox import golang
from sandbox.parts import PARTS, Part

MODULES = {
    "kubernetes": "k8s.io/kubernetes",
    "etcd": "go.etcd.io/etcd/server/v3",
    "traefik": "github.com/traefik/traefik/v3",
    "coredns": "github.com/coredns/coredns",
}


def pinned(part: str) -> str:
    return (next(each for each in PARTS if each.name == part).folder / "go.mod").read_text()


@pytest.mark.parametrize("part", [part for part in PARTS if part.name in MODULES], ids=lambda part: part.name)
def test_the_version_in_the_table_is_the_one_that_is_built(part: Part) -> None:
    assert re.search(
        rf"\b{re.escape(MODULES[part.name])} v{re.escape(part.version)}( //.*)?$", pinned(part.name), re.MULTILINE
    )


def test_prometheus_is_the_module_that_carries_its_version_in_its_own_numbering() -> None:
    part = next(part for part in PARTS if part.name == "prometheus")
    major, minor, patch = part.version.split(".")
    assert f"github.com/prometheus/prometheus v0.{major}{minor.zfill(2)}.{patch}" in pinned("prometheus")


def test_all_staging_modules_are_of_the_same_release_of_kubernetes() -> None:
    replaced = re.findall(r"=> (k8s\.io/\S+) (v\S+)$", pinned("kubernetes"), re.MULTILINE)
    assert len(replaced) == 33
    assert {version for _, version in replaced} == {"v0.36.3"}


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_a_version_with_a_dash_would_confuse_the_cache(part: Part) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", part.name)
    assert re.fullmatch(r"[0-9.]+", part.version)


@pytest.mark.parametrize(
    ("package", "name"),
    [
        ("go.etcd.io/etcd/server/v3", "server"),
        ("k8s.io/kubernetes/cmd/kubelet", "kubelet"),
        ("example.org/cmd/version", "version"),
    ],
)
def test_a_program_is_found_under_the_name_that_go_gives_it(package: str, name: str) -> None:
    assert golang._default_name(package) == name
