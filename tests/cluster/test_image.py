"""The image as it runs: as nobody, on a read-only root, with nothing that installs, compiles or tests."""

import json
from pathlib import Path
from typing import Any

import pytest

import detour
from sandbox import buildah, cache
from tests.cluster import image_probe
from tests.cluster.kubectl import ROOT, Said, kubectl

LIMIT = 200_000_000  # bytes over the base image


def inside(*command: str, stdin: str | None = None) -> Said:
    """What a command says in the webhook's container."""
    return kubectl("-n", "detour", "exec", "-i", "deployment/detour", "-c", "webhook", "--", *command, stdin=stdin)


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    """What a Python process in there sees."""
    seen: dict[str, Any] = json.loads(inside("python3", "-", stdin=Path(image_probe.__file__).read_text()).out)
    return seen


def test_it_runs_as_nobody_and_can_write_nowhere_in_the_image(found: dict[str, Any]) -> None:
    assert found["user"] == [65532, 65532]
    assert found["written"] == []
    assert found["writable"] == []


def test_it_holds_nothing_that_installs_compiles_or_fetches(found: dict[str, Any]) -> None:
    assert found["installers"] == []
    assert found["tools"] == []


def test_it_holds_no_tests(found: dict[str, Any]) -> None:
    assert found["tests"] == []


def test_every_module_can_be_imported_with_the_packages_that_are_left_in(found: dict[str, Any]) -> None:
    assert found["modules"] > 100
    assert found["broken"] == []


def test_bytecode_is_there_for_a_process_that_can_write_none(found: dict[str, Any]) -> None:
    assert found["uncompiled"] == []


def test_it_is_far_smaller_than_its_limit(found: dict[str, Any]) -> None:
    print(f"{found['bytes'] / 1e6:.1f} MB over the base image")
    assert found["bytes"] < LIMIT


def test_the_command_is_on_the_path_and_says_its_version() -> None:
    assert inside("detour", "--version").out == f"detour, version {detour.__version__}\n"


def test_the_same_sources_give_the_same_image_whether_layers_were_kept_or_not() -> None:
    with cache.locked():
        built = [identity(f"detour.dev/{name}:test", anew=name == "anew") for name in ("kept", "anew")]
    assert built[0] == built[1]


def identity(image: str, *, anew: bool) -> str:
    """The id of an image of the checkout, which goes away again."""
    buildah.build(ROOT, image, on=buildah.base(), anew=anew)
    try:
        return buildah.run("inspect", "--type=image", "--format={{.FromImageID}}", image).strip()
    finally:
        buildah.run("rmi", image)
