"""Builds Detour's own images from the checkout's Dockerfile, without a registry, and puts them into the cluster.

The base image is Debian's Python, made by debootstrap. Buildah's storage keeps the layers, so a change of the sources
alone takes seconds.
"""

import hashlib
import platform
import shutil
from pathlib import Path

from sandbox import cache, cluster, command
from sandbox.errors import UserError
from sandbox.layout import CHECKOUT, STATE
from sandbox.progress import step

# Image → the stage of the Dockerfile that it is; Detour's own is what is built when none is named.
IMAGES = {"detour.dev/detour:dev": None, "detour.dev/loadtester:dev": "loadtester"}
INPUTS = ("Dockerfile", ".dockerignore", "requirements.lock", "analyzer", "certs", "detour", "loadtester", "webhook")
IMPORTED = STATE / "detour-image"
SUITE = "bookworm"
PACKAGES = "python3,python3-venv"
# What a container never reads; it is most of the size.
LUGGAGE = ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale", "usr/share/man")
# In a mount namespace of its own: what a program mounts goes with it, however it ends.
UNSHARED = ("unshare", "--mount")
# Of this machine, for the build alone, so mounted and not copied: what pip and apt trust, and where pip fetches from.
MOUNTED = ("/etc/ssl/certs", "/etc/pip.conf")


def ensure() -> str:
    """Makes the cluster's images those of the checkout, and returns the digest of what they are built from.

    Raises UserError when they cannot be built.
    """
    digest = inputs(CHECKOUT)
    if IMPORTED.exists() and IMPORTED.read_text() == digest:
        return digest
    with cache.locked():
        base = _base()
        with step("building Detour's images"):
            try:
                _build(base)
            except UserError:
                # A build that was killed may leave the storage unusable; it holds nothing but copies.
                shutil.rmtree(_storage(), ignore_errors=True)
                _build(base)
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


def _base() -> Path:
    """The archive of the base image's files, in the cache."""
    key = hashlib.sha256(f"{SUITE} {PACKAGES} {LUGGAGE} {platform.machine()}".encode()).hexdigest()[:12]
    entry = cache.entry("images", "base", SUITE, key)
    if not entry.is_dir():
        with step("making the base image with debootstrap"), cache.new(entry) as folder:
            root = folder / "root"
            debootstrap = ("debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, str(root))
            command.run(*UNSHARED, *debootstrap, seconds=900)
            for path in LUGGAGE:
                shutil.rmtree(root / path, ignore_errors=True)
            command.run("tar", "-czf", str(folder / "base.tar.gz"), "-C", str(root), ".", seconds=300)
            shutil.rmtree(root)
    return entry / "base.tar.gz"


def _build(base: Path) -> None:
    name = f"localhost/detour-base:{base.parent.name}"
    if name not in _buildah("images", "--format={{.Name}}:{{.Tag}}").splitlines():
        container = _buildah("from", "scratch").strip()
        _buildah("add", "--quiet", container, str(base), "/")
        _buildah("commit", "--quiet", container, name)
        _buildah("rm", container)
    for image, stage in IMAGES.items():
        _bud(name, image, stage)
        archive = STATE / "detour.tar"
        archive.unlink(missing_ok=True)
        _buildah("push", "--quiet", "--disable-compression", image, f"docker-archive:{archive}:{image}")
        cluster.import_image(archive)
        archive.unlink()


def _bud(base: str, image: str, stage: str | None) -> None:
    volumes = [f"--volume={path}:{path}:ro" for path in MOUNTED if Path(path).exists()]
    # Without --force-rm a stage that adds nothing to another leaves a container behind, which keeps its image for ever.
    options = [
        "--isolation=chroot",
        "--layers",
        "--force-rm",
        "--format=docker",
        f"--build-arg=BASE={base}",
        f"--tag={image}",
    ]
    target = [f"--target={stage}"] if stage else []
    _buildah("bud", *options, *target, *volumes, str(CHECKOUT))


def _storage() -> Path:
    return cache.root() / "buildah"


def _buildah(*arguments: str) -> str:
    storage = (f"--root={_storage()}/storage", f"--runroot={_storage()}/run", "--storage-driver=overlay")
    return command.run(*UNSHARED, "buildah", *storage, *arguments, seconds=900)
