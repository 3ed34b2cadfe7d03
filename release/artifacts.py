"""What a release consists of, made from a tree: images and their bills of materials, manifests, charts, checksums."""

from __future__ import annotations

import gzip
import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from release import packages, sbom, version
from release.tree import Tree
from sandbox import build, buildah, cache, command
from sandbox.detour_image import STAGES
from sandbox.helm import PARTS
from sandbox.progress import step

SUMS = "SHA256SUMS"
LOCK = "requirements.lock"


@dataclass(frozen=True, slots=True)
class Making:
    """One set of artifacts: of which tree, into which folder, and on which base image, if not on the sandbox's."""

    tree: Tree
    target: Path
    base: str = ""

    @property
    def version(self) -> str:
        return version.read(self.tree.folder)

    def make(self) -> list[Path]:
        """The artifacts; what the folder held is gone. Raises UserError."""
        shutil.rmtree(self.target, ignore_errors=True)
        self.target.mkdir(parents=True)
        for image in STAGES:
            self._image(image)
        self._manifests()
        self._charts()
        return [*self._files(), self._sums()]

    def _image(self, image: str) -> None:
        """The archive of an image, compressed, and its bill of materials."""
        name = f"{image}:{self.version}"
        plain = self.target / "image.tar"
        with step(f"building the image {name}"), cache.locked():
            buildah.build(
                self.tree.folder,
                name,
                STAGES[image],
                on=self.base or buildah.base(),
                VERSION=self.version,
                REVISION=self.tree.revision,
                CREATED=sbom.moment(self.tree.epoch),
            )
            buildah.save(name, plain)
        stem = f"{_last(image)}-{self.version}"
        hashes = sbom.locked(self.tree.folder / LOCK)
        bill = sbom.bill(image, self.version, packages.read(plain), hashes, self.tree.epoch)
        (self.target / f"{stem}.cdx.json").write_text(bill)
        _compress(plain, self.target / f"{stem}.image.tar.gz")
        plain.unlink()

    def _manifests(self) -> None:
        """What `kubectl apply -k manifests` would send, in one file."""
        kubectl = build.ensure(["kubernetes"])["kubectl"]
        rendered = command.run(str(kubectl), "kustomize", str(self.tree.folder / version.MANIFESTS))
        (self.target / f"detour-{self.version}.yaml").write_text(rendered)

    def _charts(self) -> None:
        helm = build.programs(PARTS)["helm4"]
        for chart in sorted((self.tree.folder / version.MANIFESTS).glob(f"charts/*/{version.CHART}")):
            command.run(str(helm), "package", str(chart.parent), "--destination", str(self.target))

    def _sums(self) -> Path:
        """Checksums as `sha256sum --check` takes them."""
        lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in self._files()]
        (self.target / SUMS).write_text("".join(lines))
        return self.target / SUMS

    def _files(self) -> list[Path]:
        return sorted(path for path in self.target.iterdir() if path.name != SUMS)


def _last(image: str) -> str:
    return image.rpartition("/")[2]


def _compress(source: Path, target: Path) -> None:
    with source.open("rb") as plain, target.open("wb") as file, gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
        shutil.copyfileobj(plain, packed, 1024 * 1024)
