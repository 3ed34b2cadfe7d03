"""What a host lacks is said in one sentence, with the remedy."""

import os
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from sandbox import packages, preflight
from sandbox.errors import UserError


def a_go_that_says(answer: str, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = directory / "go"
    program.write_text(f"#!/bin/sh\necho '{answer}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")


def test_a_user_who_is_not_root_is_told_to_use_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(UserError, match=r"needs root .* repeat the command with sudo"):
        preflight.check_host()


def test_another_system_than_linux_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight.sys, "platform", "darwin")  # type: ignore[attr-defined]  # the module's own import
    with pytest.raises(UserError, match="needs Linux"):
        preflight.check_host()


def test_an_old_python_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "PYTHON", (4, 0))
    with pytest.raises(UserError, match=r"Python .* is needed and this is 3\."):
        preflight.check_host()


def test_a_missing_tool_comes_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda tool, **_: None if tool == "git" else tool)
    with pytest.raises(UserError, match="apt-get install git"):
        preflight.check_host()


@pytest.mark.parametrize("answer", ["go1.25.9", "", "devel something"])
def test_a_go_that_is_too_old_or_unknown_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    a_go_that_says(answer, tmp_path, monkeypatch)
    with pytest.raises(UserError, match=rf"Go 1\.26 .* is needed and {tmp_path}/go is '{answer}': install"):
        preflight.go_program()


@pytest.mark.parametrize("answer", ["go1.26.0", "go1.26", "go1.30.1", "go2.0"])
def test_a_go_that_is_new_enough_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    a_go_that_says(answer, tmp_path, monkeypatch)
    assert preflight.go_program() == f"{tmp_path}/go"


def test_without_go_the_place_to_get_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(preflight, "_GO_DIRECTORY", str(tmp_path))
    with pytest.raises(UserError, match=r"install it from https://go\.dev/dl/"):
        preflight.go_program()


def test_too_little_disk_is_said_before_the_build_even_if_the_directory_does_not_exist_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=12 * preflight.GIGABYTE))
    directory = tmp_path / "not" / "there"
    with pytest.raises(UserError, match=rf"needs 25 GB meanwhile in {directory} and 12 GB are free.*DETOUR_CACHE"):
        preflight.check_disk(directory, 25)
    preflight.check_disk(directory, 12)


def test_a_package_is_missing_when_its_program_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "_PATH", str(tmp_path))
    (tmp_path / "nft").touch(mode=0o755)
    assert packages.missing({"nftables": "nft", "hey": "hey"}) == ["hey"]


def test_nothing_is_run_when_no_package_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "missing", list)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("ran a command"))
    packages.install(tmp_path / "apt.log")


def test_apt_gets_several_chances_and_its_log_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []

    def fails(command: list[str], **_: object) -> SimpleNamespace:
        commands.append(command)
        return SimpleNamespace(returncode=100)

    monkeypatch.setattr(packages, "missing", lambda: ["hey"])
    monkeypatch.setattr(subprocess, "run", fails)
    monkeypatch.setattr(packages.time, "sleep", lambda _: None)  # type: ignore[attr-defined]  # the module's own import
    with pytest.raises(UserError, match=rf"cannot install hey: .*{tmp_path}/apt\.log"):
        packages.install(tmp_path / "apt.log")
    assert len(commands) == len(packages.PAUSES)
