"""Where the version stands in the tree: in the package, on the images of the manifests, and in the charts."""

import re
from pathlib import Path

from sandbox.errors import UserError

HOME = "detour/__init__.py"
MANIFESTS = "manifests"
CHART = "Chart.yaml"

_OURS = re.compile(r'^(__version__ = )"(.*)"$', re.MULTILINE)
_IMAGE = re.compile(r"(\bdetour\.dev/(?:detour|loadtester)):[\w.-]+")
_CHART = re.compile(r"^(version|appVersion): .*$", re.MULTILINE)


def parse(text: str) -> tuple[int, int, int]:
    """Major, minor and patch, as https://semver.org means them. Raises UserError for anything else."""
    if not re.fullmatch(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}", text):
        raise UserError(f"'{text}' is no version: give three numbers, such as VERSION=1.4.0")
    major, minor, patch = map(int, text.split("."))
    return major, minor, patch


def read(tree: Path) -> str:
    """The version that the sources say they are."""
    found = _OURS.search((tree / HOME).read_text())
    if not found:
        raise UserError(f'{HOME} says no version: it needs a line __version__ = "1.4.0"')
    return found[2]


def write(tree: Path, version: str) -> None:
    """Makes the sources, the images that the manifests name and the charts those of this version."""
    _rewrite(tree / HOME, _OURS, rf'\g<1>"{version}"')
    for path in sorted((tree / MANIFESTS).rglob("*.yaml")):
        _rewrite(path, _IMAGE, rf"\g<1>:{version}")
        if path.name == CHART:
            _rewrite(path, _CHART, rf'\g<1>: "{version}"')


def _rewrite(path: Path, pattern: re.Pattern[str], replacement: str) -> None:
    before = path.read_text()
    after = pattern.sub(replacement, before)
    if after != before:
        path.write_text(after)
