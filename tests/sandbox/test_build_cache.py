"""The cache: what is in it is complete and fits its inputs."""

import dataclasses
import fcntl
from pathlib import Path

import pytest

from sandbox import build, cache, golang, parts
from sandbox.errors import UserError
from sandbox.parts import Part


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DETOUR_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Part:
    monkeypatch.setattr(parts, "FOLDER", tmp_path / "parts")
    sources = tmp_path / "parts" / "tool"
    sources.mkdir(parents=True)
    (sources / "go.mod").write_text("module example.org/tool\n")
    (sources / "go.sum").write_text("")
    return Part(name="tool", version="1.0", programs={"tool": "example.org/tool"}, minutes=1, gigabytes=0.001)


class Builder:
    """Takes the place of Go: writes the programs, or fails in the middle as it is told."""

    def __init__(self) -> None:
        self.built: list[str] = []
        self.fails = False

    def __call__(self, part: Part, folder: Path, workshop: golang.Workshop) -> None:
        for program in part.programs:
            (folder / program).write_text("half")
        if self.fails:
            raise UserError("Building failed.")
        for program in part.programs:
            (folder / program).write_text("whole")
        self.built.append(part.name)


@pytest.fixture
def builder(part: Part, monkeypatch: pytest.MonkeyPatch) -> Builder:
    builder = Builder()
    monkeypatch.setattr(build, "PARTS", (part,))
    monkeypatch.setattr(golang, "build", builder)
    monkeypatch.setattr("sandbox.preflight.go_program", lambda: "go")
    return builder


def test_the_cache_is_where_detour_cache_says_else_in_the_users_cache_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cache.root() == tmp_path / "cache"
    monkeypatch.delenv("DETOUR_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert cache.root() == Path("/xdg/detour")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/someone")
    assert cache.root() == Path("/home/someone/.cache/detour")


@pytest.mark.parametrize("file", ["go.mod", "go.sum", "main.go", "deeper/main.go"])
def test_a_changed_source_or_pinned_version_changes_the_key(part: Part, file: str) -> None:
    before = part.key()
    path = part.folder / file
    path.parent.mkdir(exist_ok=True)
    path.write_text("changed")
    assert part.key() != before


@pytest.mark.parametrize("change", [{"tags": "other"}, {"variables": {"a": "b"}}, {"version": "1.1"}])
def test_a_changed_flag_or_version_changes_the_key(part: Part, change: dict[str, str]) -> None:
    assert dataclasses.replace(part, **change).key() != part.key()  # type: ignore[arg-type]  # the fields differ in type


def test_the_key_of_the_same_inputs_stays_the_same_whatever_the_estimates_say(part: Part) -> None:
    assert part.key() == dataclasses.replace(part, minutes=2, gigabytes=2).key()


def test_what_is_built_is_not_built_again(builder: Builder) -> None:
    programs = build.ensure()
    assert programs["tool"].read_text() == "whole"
    assert build.ensure() == programs
    assert builder.built == ["tool"]


def test_a_build_that_fails_leaves_no_entry_and_the_next_attempt_makes_a_whole_one(
    builder: Builder, part: Part
) -> None:
    builder.fails = True
    with pytest.raises(UserError):
        build.ensure()
    assert not build.entry(part).exists()
    builder.fails = False
    assert build.ensure()["tool"].read_text() == "whole"


@pytest.mark.usefixtures("builder")
def test_what_a_killed_build_left_is_never_used_and_goes_away(part: Part) -> None:
    entry = build.entry(part)
    for leftover in (f".unfinished-{entry.name}", ".unfinished-tool-0.9-abc123"):
        (entry.parent / leftover).mkdir(parents=True)
        (entry.parent / leftover / "tool").write_text("half")
    assert build.ensure()["tool"].read_text() == "whole"
    assert [path.name for path in entry.parent.iterdir()] == [entry.name]


@pytest.mark.usefixtures("builder")
def test_an_entry_supersedes_older_ones_of_its_part_and_no_others(part: Part) -> None:
    directory = build.entry(part).parent
    for other in ("tool-0.9-abc123", "tool-kit-0.9-abc123", "other-1.0-abc123"):
        (directory / other).mkdir(parents=True)
    build.ensure()
    kept = {path.name for path in directory.iterdir()}
    assert kept == {build.entry(part).name, "tool-kit-0.9-abc123", "other-1.0-abc123"}


def test_gos_own_caches_stay_after_a_failure_and_go_when_all_is_built(builder: Builder) -> None:
    caches = cache.root() / "work"
    caches.mkdir(parents=True)
    builder.fails = True
    with pytest.raises(UserError):
        build.ensure()
    assert caches.exists()
    builder.fails = False
    build.ensure()
    assert not caches.exists()


def test_only_the_parts_asked_for_are_built(builder: Builder, part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    (part.folder.parent / "other").mkdir()
    other = dataclasses.replace(part, name="other", programs={"other": "example.org/other"})
    monkeypatch.setattr(build, "PARTS", (part, other))
    assert build.ensure(["other"]).keys() == {"other"}
    assert builder.built == ["other"]


def test_a_second_build_waits_for_the_lock_and_gives_up_with_advice(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cache, "LOCK_SECONDS", -1)
    cache.root().mkdir()
    with (cache.root() / "lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(UserError, match="end it, then try again"), cache.locked():
            pytest.fail("the lock was not held")
    assert "waiting for another build" in capsys.readouterr().out
    with cache.locked():
        pass


def test_a_part_of_others_lives_in_their_folder_and_is_built_only_when_they_ask(builder: Builder, part: Part) -> None:
    theirs = dataclasses.replace(part, name="theirs", programs={"their": "example.org/theirs"}, home=part.folder)
    (part.folder / "theirs").mkdir()
    assert theirs.folder == part.folder / "theirs"
    build.ensure()
    assert build.programs([theirs]).keys() == {"their"}
    assert builder.built == ["tool", "theirs"]
