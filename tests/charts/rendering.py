"""The programs that render manifests without a cluster: kubectl for kustomize, and Helm in both versions in use."""

import functools
import subprocess
from pathlib import Path
from typing import Any

import yaml

from sandbox import build
from sandbox.helm import PARTS, VERSIONS

ROOT = Path(__file__).parents[2]
MANIFESTS = ROOT / "manifests"
CHARTS = MANIFESTS / "charts"
HELM = tuple(VERSIONS)

Object = dict[str, Any]
Key = tuple[str, str]
"""Kind and name."""


@functools.cache
def programs() -> dict[str, Path]:
    """Built once, and kept like the sandbox's own parts."""
    return build.programs(PARTS) | build.ensure(["kubernetes"])


def kustomize(folder: Path) -> str:
    """What `kubectl apply -k` of the folder would send. A failure is the caller's."""
    done = _run("kubectl", "kustomize", str(folder))
    assert done.returncode == 0, done.stderr
    return done.stdout


def template(version: int, chart: str, *options: str, release: str = "detour", namespace: str = "detour") -> str:
    """What Helm would install, its tests apart. A failure is the caller's."""
    done = attempt(version, chart, *options, release=release, namespace=namespace)
    assert done.returncode == 0, done.stderr
    return done.stdout


def attempt(
    version: int, chart: str, *options: str, release: str = "detour", namespace: str = "detour"
) -> subprocess.CompletedProcess[str]:
    """The same, where it may fail."""
    place = (f"--namespace={namespace}", "--kube-version=1.36.0", "--skip-tests")
    return _run(f"helm{version}", "template", release, str(CHARTS / chart), *place, *options)


def keyed(text: str) -> dict[Key, str]:
    """The documents of a YAML stream, each once."""
    documents = [document.removeprefix("---\n") for document in text.split("\n---\n")]
    found = {}
    for document in documents:
        if one := yaml.safe_load(document):
            key = (str(one["kind"]), str(one["metadata"]["name"]))
            assert key not in found, key
            found[key] = document.rstrip("\n") + "\n"
    return found


def objects(text: str) -> dict[Key, Object]:
    """The same, read."""
    return {key: yaml.safe_load(document) for key, document in keyed(text).items()}


def _run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(programs()[program]), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
