"""A release of a small repository: what is committed and tagged, and that a failure leaves everything as it was."""

from pathlib import Path

import pytest

from release import __main__ as command
from release.artifacts import Making
from release.tree import Tree
from sandbox.errors import UserError

CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A thing.\n"
IMAGE = "image: detour.dev/detour:{}\n"


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    folder = tmp_path / "repository"
    for path, text in (
        ("CHANGELOG.md", CHANGELOG),
        ("detour/__init__.py", '__version__ = "0.1.0"\n'),
        ("manifests/deployment.yaml", IMAGE.format("dev")),
        (".gitignore", "dist/\n"),
    ):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    tree = Tree(folder)
    tree.git("init", "--quiet", "--initial-branch=main")
    tree.git("config", "user.name", "Somebody")
    tree.git("config", "user.email", "somebody@example.org")
    tree.git("add", ".")
    tree.commit("Begin")
    return tree


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Takes the place of building, and tells what would have been built: the version, and the manifest."""
    found = []

    def make(making: Making) -> list[Path]:
        making.tree.check_clean()
        found.append((making.version, (making.tree.folder / "manifests/deployment.yaml").read_text()))
        making.target.mkdir()
        (making.target / "file").touch()
        return [making.target / "file"]

    monkeypatch.setattr(Making, "make", make)
    return found


def at(tree: Tree, revision: str, path: str) -> str:
    return tree.git("show", f"{revision}:{path}")


def test_what_is_built_is_the_tagged_commit(tree: Tree, made: list[tuple[str, str]]) -> None:
    command.release(tree, "1.0.0", "", dry=False)
    assert made == [("1.0.0", IMAGE.format("1.0.0"))]
    assert at(tree, "v1.0.0", "manifests/deployment.yaml") == IMAGE.format("1.0.0").strip()
    assert '__version__ = "1.0.0"' in at(tree, "v1.0.0", "detour/__init__.py")
    assert "## [1.0.0] - 20" in at(tree, "v1.0.0", "CHANGELOG.md")


@pytest.mark.usefixtures("made")
def test_the_tag_says_what_the_version_brings(tree: Tree) -> None:
    command.release(tree, "1.0.0", "", dry=False)
    said = tree.git("for-each-ref", "--format=%(contents)", "refs/tags/v1.0.0")
    assert said == "Detour 1.0.0\n\n### Added\n\n- A thing."


@pytest.mark.usefixtures("made")
def test_the_branch_goes_on_with_images_that_are_built_from_the_tree(tree: Tree) -> None:
    command.release(tree, "1.0.0", "", dry=False)
    assert tree.git("log", "--format=%s").splitlines()[1:] == ["Release 1.0.0", "Begin"]
    assert (tree.folder / "manifests/deployment.yaml").read_text() == IMAGE.format("dev")
    assert "## [1.0.0]" in (tree.folder / "CHANGELOG.md").read_text()
    assert tree.git("branch", "--show-current") == "main"
    tree.check_clean()


def test_a_dry_run_makes_the_artifacts_and_changes_nothing(tree: Tree, made: list[tuple[str, str]]) -> None:
    before = tree.revision
    command.release(tree, "1.0.0", "", dry=True)
    assert made == [("1.0.0", IMAGE.format("1.0.0"))]
    assert (tree.folder / "dist/file").exists()
    assert (tree.revision, tree.git("tag"), tree.git("worktree", "list").count("\n")) == (before, "", 0)
    tree.check_clean()


def test_a_build_that_fails_leaves_the_repository_as_it_was(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_making: Making) -> list[Path]:
        raise UserError("no network")

    monkeypatch.setattr(Making, "make", fail)
    before = tree.revision
    with pytest.raises(UserError, match="no network"):
        command.release(tree, "1.0.0", "", dry=False)
    assert (tree.revision, tree.git("tag"), tree.git("worktree", "list").count("\n")) == (before, "", 0)
    tree.check_clean()


def test_the_next_version_needs_entries_of_its_own(tree: Tree, made: list[tuple[str, str]]) -> None:
    command.release(tree, "1.0.0", "", dry=False)
    with pytest.raises(UserError, match="nothing under"):
        command.release(tree, "1.1.0", "", dry=False)
    assert len(made) == 1


def test_a_version_is_released_once(tree: Tree, made: list[tuple[str, str]]) -> None:
    command.release(tree, "1.0.0", "", dry=False)
    with pytest.raises(UserError, match=r"v1\.0\.0 is there already"):
        command.release(tree, "1.0.0", "", dry=False)
    assert len(made) == 1


def test_changes_that_are_not_committed_are_named_and_nothing_is_made(
    tree: Tree, made: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tree.folder / "stray").touch()
    monkeypatch.setattr(command, "CHECKOUT", tree.folder)
    for arguments in (["1.0.0"], []):
        monkeypatch.setattr("sys.argv", ["release", *arguments])
        assert command.main() == 1
        assert "?? stray" in capsys.readouterr().err
    assert made == []


def test_without_a_version_the_checkout_is_built_as_it_is(
    tree: Tree, made: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "CHECKOUT", tree.folder)
    monkeypatch.setattr("sys.argv", ["release"])
    assert command.main() == 0
    assert made == [("0.1.0", IMAGE.format("dev"))]
    assert "dist/file" in capsys.readouterr().out
