"""The images of what runs in the sandbox's pods, made from the parts, so that nothing need be pulled."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from sandbox import archive, build, cache
from sandbox.archive import File, Image
from sandbox.parts import PARTS, Part
from sandbox.progress import say

_PARTS = {part.name: part for part in PARTS}


def _name(part: str) -> str:
    return f"detour.sandbox/{part}:{_PARTS[part].version}"


PAUSE = _name("pause")
COREDNS = _name("coredns")
TRAEFIK = _name("traefik")
PROMETHEUS = _name("prometheus")
METRICS_SERVER = _name("metrics-server")
PODINFO_REPOSITORIES = ("ghcr.io/stefanprodan/podinfo", "docker.io/stefanprodan/podinfo")
# The last two have a fault, which is in the binary: sandbox/parts/podinfo/faults.
PODINFO_TAGS = ("3.0.0", "3.0.1", "6.0.0", "6.0.1", "6.0.2", "6.0.3", "6.1.0", "errors", "slow")
SEED_APP_REPOSITORY = "docker.io/library/seed-app"
SEED_APP_TAGS = ("3.0.0", "3.0.1", "errors", "slow")

_APP = (100, 101)  # the user and group `app` of podinfo's own image
_BASE = (
    File("/etc"),
    File("/etc/group", content=f"root:x:0:\nnogroup:x:65534:\napp:x:{_APP[1]}:\n", mode=0o644),
    File("/etc/nsswitch.conf", content="hosts: files dns\n", mode=0o644),
    File(
        "/etc/passwd",
        content=(
            "root:x:0:0:root:/:/sbin/nologin\n"
            "nobody:x:65534:65534:nobody:/:/sbin/nologin\n"
            f"app:x:{_APP[0]}:{_APP[1]}:app:/home/app:/sbin/nologin\n"
        ),
        mode=0o644,
    ),
    File("/tmp", mode=0o1777),
)


@dataclass(frozen=True, slots=True)
class Archive:
    """The images that are made from one part and kept in one file."""

    part: Part
    images: Callable[[Path], Iterable[Image]]

    @property
    def entry(self) -> Path:
        """Superseded when the part is, or what its images consist of, or how they are written."""
        images = list(self.images(Path(self.part.name)))
        recipe = f"{self.part.key()} {images} {Path(archive.__file__).read_text()}"
        key = hashlib.sha256(recipe.encode()).hexdigest()[:12]
        return cache.entry("images", self.part.name, self.part.version, key)

    @property
    def file(self) -> Path:
        return self.entry / f"{self.part.name}.tar"


def ensure() -> list[Path]:
    """The archives to import, which name their images themselves; what is missing is made, and its part is built."""
    if any(not image.file.is_file() for image in _ARCHIVES):
        build.ensure(image.part.name for image in _ARCHIVES)
        with cache.locked():
            for image in _ARCHIVES:
                if not image.file.is_file():
                    _make(image)
    return [image.file for image in _ARCHIVES]


def _make(image: Archive) -> None:
    say(f"making the images of {image.part.title}")
    with cache.new(image.entry) as folder:
        archive.write(folder / image.file.name, image.images(build.entry(image.part)))
    cache.prune(image.entry, image.part.name)


def _program(part: str, *more: File) -> Callable[[Path], Iterable[Image]]:
    """An image that holds the part's program and starts it with the arguments of the pod."""

    def images(folder: Path) -> Iterable[Image]:
        program = (File(f"/{part}", source=folder / part), *more)
        yield Image(names=(_name(part),), layers=(_BASE, program), entrypoint=(f"/{part}",))

    return images


def _podinfo(folder: Path) -> Iterable[Image]:
    """podinfo under all its tags: one layer with the program, and one that holds nothing but the tag."""
    program = (
        File("/data", owner=_APP),
        File("/home"),
        File("/home/app", owner=_APP),
        File("/home/app/podinfo", source=folder / "podinfo", owner=_APP),
        File("/home/app/ui", owner=_APP),
        File("/home/app/ui/vue.html", source=folder / "ui" / "vue.html", mode=0o644, owner=_APP),
        File("/podinfo", link="/home/app/podinfo", owner=_APP),
        File("/usr/local/bin/podcli", source=folder / "podcli"),
    )
    for tag in PODINFO_TAGS:
        yield Image(
            names=tuple(f"{repository}:{tag}" for repository in PODINFO_REPOSITORIES),
            layers=(_BASE, program, _tag("podinfo", tag)),
            command=("./podinfo",),
            directory="/home/app",
            user="app",
            ports=(9898,),
        )


def _seed_app(folder: Path) -> Iterable[Image]:
    """The application of tests/seed under all its tags, the last two of which have a fault."""
    program = (File("/seed-app", source=folder / "seed-app"),)
    for tag in SEED_APP_TAGS:
        yield Image(
            names=(f"{SEED_APP_REPOSITORY}:{tag}",),
            layers=(_BASE, program, _tag("seed-app", tag)),
            entrypoint=("/seed-app",),
            user="app",
            ports=(8080, 7001),
        )


def _tag(part: str, tag: str) -> tuple[File, ...]:
    """The layer from which a program learns under which tag it runs."""
    return (File(f"/etc/{part}-tag", content=f"{tag}\n", mode=0o644),)


_ARCHIVES = (
    Archive(_PARTS["pause"], _program("pause")),
    Archive(_PARTS["coredns"], _program("coredns")),
    Archive(_PARTS["traefik"], _program("traefik")),
    Archive(_PARTS["prometheus"], _program("prometheus")),
    Archive(_PARTS["metrics-server"], _program("metrics-server")),
    Archive(_PARTS["podinfo"], _podinfo),
    Archive(_PARTS["seed-app"], _seed_app),
)
