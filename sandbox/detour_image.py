"""Builds Detour's own images from the checkout's Dockerfile and puts them into the cluster."""

import hashlib
from pathlib import Path

from sandbox import buildah, cache, cluster
from sandbox.errors import UserError
from sandbox.layout import CHECKOUT, STATE
from sandbox.progress import step

# Image → the stage of the Dockerfile that it is; Detour's own is what is built when none is named.
STAGES = {"detour.dev/detour": None, "detour.dev/loadtester": "loadtester"}
TAG = "dev"
INPUTS = ("Dockerfile", ".dockerignore", "requirements.lock", "analyzer", "certs", "detour", "loadtester", "webhook")
IMPORTED = STATE / "detour-image"


def ensure() -> str:
    """Makes the cluster's images those of the checkout, and returns the digest of what they are built from.

    Raises UserError when they cannot be built.
    """
    digest = inputs(CHECKOUT)
    if IMPORTED.exists() and IMPORTED.read_text() == digest:
        return digest
    with cache.locked():
        try:
            _import()
        except UserError:
            buildah.forget()
            _import()
    IMPORTED.write_text(digest)
    return digest


def inputs(checkout: Path) -> str:
    """The hash of every file that the images are built from."""
    digest = hashlib.sha256()
    for name in INPUTS:
        top = checkout / name
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file() and "__pycache__" not in path.parts:
                content = path.read_bytes()
                digest.update(f"{path.relative_to(checkout)} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _import() -> None:
    base = buildah.base()
    archive = STATE / "detour.tar"
    with step("building Detour's images"):
        for name, stage in STAGES.items():
            buildah.build(CHECKOUT, f"{name}:{TAG}", stage, on=base)
            buildah.save(f"{name}:{TAG}", archive)
            cluster.import_image(archive)
            archive.unlink()
