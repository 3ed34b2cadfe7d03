"""Images made by hand: what the format demands, and what the sandbox promises of the applications."""

import gzip
import hashlib
import io
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest

from sandbox import archive, build, images
from sandbox.archive import File, Image


@pytest.fixture
def archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """The archives by the names of their parts, made from programs that are only text."""
    monkeypatch.setenv("DETOUR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(build, "ensure", lambda _parts: {})
    for image in images._ARCHIVES:
        entry = build.entry(image.part)
        (entry / "ui").mkdir(parents=True)
        for file in (*image.part.programs, "ui/vue.html"):
            (entry / file).write_text(f"the program {file}")
    return {path.stem: path for path in images.ensure()}


@pytest.fixture
def podinfo(archives: dict[str, Path]) -> Path:
    return archives["podinfo"]


def manifest(path: Path) -> list[dict[str, Any]]:
    with tarfile.open(path) as tar:
        value: list[dict[str, Any]] = json.loads(read(tar, "manifest.json"))
    return value


def read(tar: tarfile.TarFile, name: str) -> bytes:
    file = tar.extractfile(name)
    assert file is not None
    return file.read()


def by_name(path: Path, name: str) -> dict[str, Any]:
    return next(image for image in manifest(path) if name in image["RepoTags"])


def root_of(path: Path, image: dict[str, Any]) -> dict[str, tuple[tarfile.TarInfo, bytes]]:
    """The image's file system: later layers win."""
    files = {}
    with tarfile.open(path) as tar:
        for layer in image["Layers"]:
            with tarfile.open(fileobj=io.BytesIO(read(tar, layer))) as content:
                for member in content:
                    file = content.extractfile(member)
                    files[f"/{member.name}"] = (member, file.read() if file else b"")
    return files


def test_every_image_has_its_configuration_and_layers_in_the_archive_under_their_digests(podinfo: Path) -> None:
    with tarfile.open(podinfo) as tar:
        for image in json.loads(read(tar, "manifest.json")):
            content = read(tar, image["Config"])
            assert image["Config"] == f"{hashlib.sha256(content).hexdigest()}.json"
            digests = [
                f"sha256:{hashlib.sha256(gzip.decompress(read(tar, layer))).hexdigest()}" for layer in image["Layers"]
            ]
            assert json.loads(content)["rootfs"] == {"type": "layers", "diff_ids": digests}


def test_podinfo_is_there_from_both_registries_under_every_tag(podinfo: Path) -> None:
    tags = ("3.0.0", "3.0.1", "6.0.0", "6.0.1", "6.0.2", "6.0.3", "6.1.0", "errors", "slow")
    names = {name for image in manifest(podinfo) for name in image["RepoTags"]}
    registries = ("ghcr.io", "docker.io")
    assert names == {f"{registry}/stefanprodan/podinfo:{tag}" for registry in registries for tag in tags}


@pytest.mark.parametrize("tag", ["6.0.1", "errors"])
def test_every_tag_has_the_same_program_at_both_paths_and_knows_its_tag(podinfo: Path, tag: str) -> None:
    files = root_of(podinfo, by_name(podinfo, f"ghcr.io/stefanprodan/podinfo:{tag}"))
    assert files["/home/app/podinfo"][1] == files["/podinfo"][1] == b"the program podinfo"
    assert files["/usr/local/bin/podcli"][0].mode & 0o111
    assert files["/etc/podinfo-tag"][1].decode().strip() == tag


def test_the_tags_share_all_but_one_small_layer(podinfo: Path) -> None:
    everywhere = set.intersection(*(set(image["Layers"]) for image in manifest(podinfo)))
    assert all(len(set(image["Layers"]) - everywhere) == 1 for image in manifest(podinfo))


def test_podinfo_starts_as_the_published_image_does(podinfo: Path) -> None:
    image = by_name(podinfo, "docker.io/stefanprodan/podinfo:6.0.0")
    with tarfile.open(podinfo) as tar:
        config = json.loads(read(tar, image["Config"]))["config"]
    assert (config["WorkingDir"], config["Cmd"], config["User"]) == ("/home/app", ["./podinfo"], "app")
    assert config["ExposedPorts"] == {"9898/tcp": {}}


def test_the_application_of_the_seed_is_found_by_its_bare_name_and_knows_its_tag(archives: dict[str, Path]) -> None:
    for tag in ("3.0.0", "3.0.1", "slow", "errors"):
        image = by_name(archives["seed-app"], f"docker.io/library/seed-app:{tag}")
        files = root_of(archives["seed-app"], image)
        assert files["/seed-app"][0].mode & 0o111
        assert files["/etc/seed-app-tag"][1].decode().strip() == tag


def test_the_same_input_gives_the_same_bytes_whatever_the_clock_and_the_files_times_say(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("content")
    layer = (File("/b", source=program), File("/a"), File("/c", link="/b"))
    written = []
    for seconds in (1, 2_000_000_000):
        os.utime(program, (seconds, seconds))
        target = tmp_path / f"{seconds}.tar"
        archive.write(target, [Image(names=("example.org/a:1",), layers=(layer,))])
        written.append(target.read_bytes())
    assert written[0] == written[1]


def test_a_layer_lists_a_directory_before_what_is_in_it_and_a_file_before_its_links(tmp_path: Path) -> None:
    layer = (File("/a/link", link="/z"), File("/z", content="text"), File("/a"))
    path = tmp_path / "image.tar"
    archive.write(path, [Image(names=("example.org/a:1",), layers=(layer,))])
    assert list(root_of(path, manifest(path)[0])) == ["/a", "/z", "/a/link"]


def test_images_are_made_anew_when_what_they_consist_of_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    podinfo = next(each for each in images._ARCHIVES if each.part.name == "podinfo")
    before = podinfo.entry
    monkeypatch.setattr(images, "PODINFO_TAGS", (*images.PODINFO_TAGS, "6.2.0"))
    assert podinfo.entry != before


def test_nothing_is_made_when_all_is_there(podinfo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "write", lambda *_: pytest.fail("made again"))
    assert podinfo in images.ensure()
