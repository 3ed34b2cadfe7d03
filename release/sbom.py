"""The software bill of materials of an image: CycloneDX 1.6 in JSON, https://cyclonedx.org/docs/1.6/json/."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from release.packages import Contents, Package, normal

Object = dict[str, Any]
Hashes = Mapping[str, Sequence[str]]

SUITE = "debian-12"
_SPDX = re.compile(r"[\w.+-]+( (AND|OR|WITH) \(?[\w.+-]+\)?)*")


def locked(lock: Path) -> Hashes:
    """By a Python package's name: the SHA-256 of every file that the lock takes for it."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in lock.read_text().splitlines():
        if pinned := re.match(r"([\w.-]+)==", line):
            name = normal(pinned[1])
        if digest := re.search(r"--hash=sha256:([0-9a-f]{64})", line):
            found.setdefault(name, []).append(digest[1])
    return found


def bill(image: str, version: str, contents: Contents, hashes: Hashes, epoch: int) -> str:
    """The bill as it is published. The same contents give the same text: its number comes from the image's id."""
    return json.dumps(
        {
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, contents.identity)}",
            "version": 1,
            "metadata": {
                "timestamp": moment(epoch),
                "component": {
                    "type": "container",
                    "bom-ref": image,
                    "name": image,
                    "version": version,
                    "hashes": [_sha256(contents.identity)],
                },
            },
            "components": [_component(package, hashes) for package in contents.packages],
        },
        indent=2,
    )


def moment(epoch: int) -> str:
    """Seconds since 1970 as RFC 3339 has them."""
    return f"{datetime.fromtimestamp(epoch, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _component(package: Package, hashes: Hashes) -> Object:
    purl = _purl(package)
    return {"type": "library", "bom-ref": purl, "name": package.name, "version": package.version, "purl": purl} | (
        _licence(package.licence) | _distribution(package, hashes)
    )


def _purl(package: Package) -> str:
    of = f"{package.name}@{quote(package.version, safe='')}"
    if package.kind == "deb":
        return f"pkg:deb/debian/{of}?arch={package.architecture}&distro={SUITE}"
    return f"pkg:{package.kind}/{of}"


def _licence(said: str) -> Object:
    if not said:
        return {}
    if _SPDX.fullmatch(said):
        return {"licenses": [{"expression": said}]}
    return {"licenses": [{"license": {"name": said}}]}


def _distribution(package: Package, hashes: Hashes) -> Object:
    """Which file of the version was installed goes by the platform, so the lock's hashes stand with where they are."""
    if package.kind != "pypi":
        return {}
    url = f"https://pypi.org/project/{package.name}/{package.version}/"
    taken = [_sha256(digest) for digest in hashes[package.name]]
    return {"externalReferences": [{"type": "distribution", "url": url, "hashes": taken}]}


def _sha256(digest: str) -> Object:
    return {"alg": "SHA-256", "content": digest}
