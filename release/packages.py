"""What is in an image, read from its archive: Debian's packages and Python's."""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path
from typing import IO

from sandbox.errors import UserError

_DEBIAN = re.compile(r"var/lib/dpkg/(status|status\.d/[^/]+)")
_PYTHON = re.compile(r"opt/detour/packages/[^/]+\.dist-info/METADATA")
_REMOVED = ".wh."  # https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts


@dataclass(frozen=True, slots=True, order=True)
class Package:
    """`kind` is a type of https://github.com/package-url/purl-spec. `licence` is as its metadata words it."""

    kind: str
    name: str
    version: str
    licence: str = ""
    architecture: str = ""


@dataclass(frozen=True, slots=True)
class Contents:
    """An image's packages, and its id: the SHA-256 of its configuration."""

    identity: str
    packages: tuple[Package, ...]


def read(archive: Path) -> Contents:
    """The packages of the only image of an archive in the format of `docker save`."""
    with tarfile.open(archive) as tar:
        (image,) = json.load(_open(tar, "manifest.json"))
        files = _files(tar, image["Layers"])
    debian = (package for path, text in files.items() if _DEBIAN.fullmatch(path) for package in _debian(text))
    python = (_python(text) for path, text in files.items() if _PYTHON.fullmatch(path))
    return Contents(image["Config"].removesuffix(".json"), tuple(sorted((*debian, *python))))


def _files(tar: tarfile.TarFile, layers: Iterable[str]) -> dict[str, str]:
    """The files that tell of packages. What a later layer writes or removes counts."""
    files: dict[str, str] = {}
    for name in layers:
        with tarfile.open(fileobj=_open(tar, name)) as layer:
            for member in layer:
                path = member.name.removeprefix("./").lstrip("/")
                folder, _, last = path.rpartition("/")
                if last.startswith(_REMOVED):
                    gone = f"{folder}/{last.removeprefix(_REMOVED)}/"
                    files = {each: text for each, text in files.items() if not f"{each}/".startswith(gone)}
                elif member.isfile() and (_DEBIAN.fullmatch(path) or _PYTHON.fullmatch(path)):
                    files[path] = _open(layer, member).read().decode()
    return files


def _open(tar: tarfile.TarFile, member: str | tarfile.TarInfo) -> IO[bytes]:
    file = tar.extractfile(member)
    if file is None:
        raise UserError(f"{member!s} is no file of the image's archive: it is damaged, make it again")
    return file


def _debian(text: str) -> Iterable[Package]:
    for paragraph in re.split(r"\n\n+", text.strip()):
        of = _headers(paragraph)
        if of.get("Status", "install ok installed").endswith(" installed"):
            yield Package("deb", of["Package"], of["Version"], architecture=of["Architecture"])


def _python(text: str) -> Package:
    of = _headers(text)
    licence = of.get("License-Expression") or of.get("License") or ""
    return Package("pypi", normal(of["Name"]), of["Version"], licence.partition("\n")[0])


def normal(name: str) -> str:
    """A Python package's name in the form in which names are compared (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _headers(text: str) -> Message:
    return HeaderParser().parsestr(text)
