"""Writes container images as a docker-archive (manifest.json, configurations, layers): no registry is needed.

The format is that of `docker save`, which `ctr images import` reads. The same input gives the same bytes.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import platform
import shutil
import tarfile
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_EPOCH = "1970-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class File:
    """A file of a layer: its content is text or a file of the host, or it is a hard link to another file of the layer.

    Without any of these it is a directory. `owner` is the user's and the group's id.
    """

    path: str
    content: str | None = None
    source: Path | None = None
    link: str | None = None
    mode: int = 0o755
    owner: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Image:
    """An image under all its names. Layers that several images share are written once."""

    names: tuple[str, ...]
    layers: tuple[tuple[File, ...], ...]
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    directory: str = "/"
    user: str = ""
    ports: tuple[int, ...] = ()

    def configuration(self, digests: Iterable[str]) -> dict[str, Any]:
        """As in the OCI image specification."""
        return {
            "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
            "os": "linux",
            "created": _EPOCH,
            "config": {
                "Cmd": list(self.command),
                "Entrypoint": list(self.entrypoint),
                "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
                "ExposedPorts": {f"{port}/tcp": {} for port in self.ports},
                "User": self.user,
                "WorkingDir": self.directory,
            },
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in digests]},
        }


def write(path: Path, images: Iterable[Image]) -> None:
    """Writes the archive of these images to `path`."""
    manifest: list[dict[str, Any]] = []
    written: dict[tuple[File, ...], str] = {}
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for image in images:
            for layer in image.layers:
                if layer not in written:
                    written[layer] = _add_layer(archive, layer, path.parent)
            digests = [written[layer] for layer in image.layers]
            name = _add_json(archive, image.configuration(digests))
            layers = [f"{digest}.tar" for digest in digests]
            manifest.append({"Config": name, "RepoTags": list(image.names), "Layers": layers})
        _add(archive, "manifest.json", json.dumps(manifest).encode())


def _add_layer(archive: tarfile.TarFile, layer: tuple[File, ...], scratch: Path) -> str:
    """Returns the layer's digest, which is that of its uncompressed form.

    The layer goes through files, since it may be bigger than memory should be.
    """
    with tempfile.TemporaryFile(dir=scratch) as plain, tempfile.TemporaryFile(dir=scratch) as packed:
        with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for file in sorted(layer, key=lambda file: (file.link is not None, file.path)):
                _add_file(tar, file)
        plain.seek(0)
        digest = hashlib.file_digest(plain, "sha256").hexdigest()
        plain.seek(0)
        with gzip.GzipFile("", "wb", compresslevel=1, fileobj=packed, mtime=0) as packing:
            shutil.copyfileobj(plain, packing)
        header = tarfile.TarInfo(f"{digest}.tar")
        header.size = packed.tell()
        packed.seek(0)
        archive.addfile(header, packed)
    return digest


def _add_file(tar: tarfile.TarFile, file: File) -> None:
    header = tarfile.TarInfo(file.path.lstrip("/"))
    header.mode = file.mode
    header.uid, header.gid = file.owner
    if file.link is not None:
        header.type, header.linkname = tarfile.LNKTYPE, file.link.lstrip("/")
        tar.addfile(header)
    elif file.source is not None:
        header.size = file.source.stat().st_size
        with file.source.open("rb") as source:
            tar.addfile(header, source)
    elif file.content is not None:
        content = file.content.encode()
        header.size = len(content)
        tar.addfile(header, io.BytesIO(content))
    else:
        header.type = tarfile.DIRTYPE
        tar.addfile(header)


def _add_json(archive: tarfile.TarFile, value: object) -> str:
    content = json.dumps(value, sort_keys=True).encode()
    name = f"{hashlib.sha256(content).hexdigest()}.json"
    _add(archive, name, content)
    return name


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    header = tarfile.TarInfo(name)
    header.size = len(content)
    archive.addfile(header, io.BytesIO(content))
