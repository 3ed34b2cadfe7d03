"""The image as it runs: as nobody, on a read-only root, with nothing that installs, compiles or tests."""

import json
from typing import Any

import pytest

import detour
from tests.cluster.kubectl import Said, kubectl

LIMIT = 200_000_000  # bytes over the base image
LOOK = """
import compileall, contextlib, importlib, importlib.util, json, os, pkgutil, shutil, sys
def written(path):
    with contextlib.suppress(OSError):
        open(path, "w").close()
        return True
def broken(name):
    try:
        importlib.import_module(name)
    except Exception as error:
        return f"{name}: {error!r}"
files = [os.path.join(folder, file) for folder, _, found in os.walk("/opt/detour") for file in found]
sources = [file for file in files if file.startswith("/opt/detour/sources/") and file.endswith(".py")]
roots = [pkgutil.walk_packages([f"/opt/detour/sources/{root}"], f"{root}.") for root in os.listdir("/opt/detour/sources")]
modules = [module.name for found in roots for module in found if not module.name.endswith("__main__")]
programs = {file for folder in os.environ["PATH"].split(":") if os.path.isdir(folder) for file in os.listdir(folder)}
print(json.dumps({
    "user": [os.getuid(), os.getgid()],
    "written": [path for path in ("/x", "/opt/detour/x", "/opt/detour/sources/detour/x", "/usr/bin/x") if written(path)],
    "installers": [name for name in ("pip", "ensurepip", "setuptools", "wheel") if importlib.util.find_spec(name)],
    "programs": sorted(name for name in programs if name.startswith(("pip", "gcc", "cc", "make", "curl", "wget"))),
    "tests": [file for file in files if "/tests/" in file],
    "uncompiled": [file for file in sources if not os.path.exists(importlib.util.cache_from_source(file))],
    "writable": [file for file in files if os.access(file, os.W_OK)],
    "modules": len(modules),
    "broken": list(filter(None, map(broken, modules))),
    "bytes": sum(os.path.getsize(file) for file in files),
}))
"""


def inside(*command: str) -> Said:
    """What a command says in the webhook's container."""
    return kubectl("-n", "detour", "exec", "deployment/detour", "-c", "webhook", "--", *command)


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    """What a Python process in there sees."""
    seen: dict[str, Any] = json.loads(inside("python3", "-c", LOOK).out)
    return seen


def test_it_runs_as_nobody_and_can_write_nowhere_in_the_image(found: dict[str, Any]) -> None:
    assert found["user"] == [65532, 65532]
    assert found["written"] == []
    assert found["writable"] == []


def test_it_holds_nothing_that_installs_compiles_or_fetches(found: dict[str, Any]) -> None:
    assert found["installers"] == []
    assert found["programs"] == []


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
