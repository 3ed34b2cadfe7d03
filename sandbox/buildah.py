"""Builds images from a Dockerfile without a daemon and without a registry, on a base image made by debootstrap.

Buildah's storage, in the cache, keeps the layers: a change of the sources alone takes seconds and no network.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
from pathlib import Path

from sandbox import cache, command
from sandbox.progress import step

SUITE = "bookworm"
PACKAGES = "ca-certificates,python3"
# What a container never reads; it is most of the size.
LUGGAGE = ("var/cache/apt", "var/lib/apt/lists", "usr/share/locale", "usr/share/man")
DOCUMENTS = "usr/share/doc"  # what the licences ask for stays
LICENCE = "copyright"
# What is added to the base is of 1970, so that kept layers are those that a build elsewhere would make; Docker's format
# would add the names of containers. The base keeps its times: by them its Python knows its bytecode.
REPRODUCIBLE = ("--timestamp=0", "--format=oci")
# In a mount namespace of its own: what a program mounts goes with it, however it ends.
UNSHARED = ("unshare", "--mount")
# Of this machine, for the build alone, so mounted and not copied: what pip and apt trust, and where pip fetches from.
MOUNTED = ("/etc/ssl/certs", "/etc/pip.conf")


def base() -> str:
    """The name of the base image, Debian's Python, in buildah's storage; it is made if it is not there.

    Call it with the cache's lock held.
    """
    archive = _base()
    name = f"localhost/detour-python:{archive.parent.name}"
    if name not in run("images", "--format={{.Name}}:{{.Tag}}").splitlines():
        container = run("from", "scratch").strip()
        run("add", "--quiet", container, str(archive), "/")
        run("commit", "--quiet", "--format=oci", container, name)
        run("rm", container)
    return name


def build(folder: Path, image: str, stage: str | None = None, *, on: str, anew: bool = False, **values: str) -> None:
    """The image of a folder's Dockerfile, of its last stage or of another, on the base image `on`.

    `values` are the build's arguments. The same sources give the same image id, `anew` (without the layers that are
    kept) or not.
    """
    arguments = [f"--build-arg={name}={value}" for name, value in {"BASE": on, **values}.items()]
    volumes = [f"--volume={path}:{path}:ro" for path in MOUNTED if Path(path).exists()]
    # Without --force-rm a stage that adds nothing to another leaves a container behind, which keeps its image for ever.
    options = ["--isolation=chroot", "--layers", "--force-rm", *REPRODUCIBLE, f"--tag={image}"]
    options += [f"--target={stage}"] if stage else []
    options += ["--no-cache"] if anew else []
    run("bud", *options, *arguments, *volumes, str(folder))


def save(image: str, archive: Path) -> None:
    """Writes the image in the format of `docker save`, under its name."""
    archive.unlink(missing_ok=True)
    run("push", "--quiet", "--disable-compression", image, f"docker-archive:{archive}:{image}")


def forget() -> None:
    """Empties the storage. It holds nothing but copies, and a build that was killed may leave it unusable."""
    shutil.rmtree(_storage(), ignore_errors=True)


def run(*arguments: str) -> str:
    """What buildah says. Raises UserError."""
    storage = (f"--root={_storage()}/storage", f"--runroot={_storage()}/run", "--storage-driver=overlay")
    return command.run(*UNSHARED, "buildah", *storage, *arguments, seconds=900)


def _storage() -> Path:
    return cache.root() / "buildah"


def _base() -> Path:
    """The archive of the base image's files, in the cache."""
    key = hashlib.sha256(f"{SUITE} {PACKAGES} {LUGGAGE} {LICENCE} {platform.machine()}".encode()).hexdigest()[:12]
    entry = cache.entry("images", "base", SUITE, key)
    if not entry.is_dir():
        with step("making the base image with debootstrap"), cache.new(entry) as folder:
            root = folder / "root"
            debootstrap = ("debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, str(root))
            command.run(*UNSHARED, *debootstrap, seconds=900)
            _unload(root)
            command.run("tar", "-czf", str(folder / "base.tar.gz"), "-C", str(root), ".", seconds=300)
            shutil.rmtree(root)
    return entry / "base.tar.gz"


def _unload(root: Path) -> None:
    for path in LUGGAGE:
        shutil.rmtree(root / path, ignore_errors=True)
    for file in (root / DOCUMENTS).rglob("*"):
        if file.name != LICENCE and not file.is_dir():
            file.unlink()
