"""The repository: a release is prepared in a worktree of its own, so that a failure leaves nothing behind."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox import command
from sandbox.errors import UserError


@dataclass(frozen=True, slots=True)
class Tree:
    """A working tree of the repository."""

    folder: Path

    def git(self, *arguments: str) -> str:
        """What git says. Raises UserError."""
        return command.run("git", "-C", str(self.folder), *arguments).strip()

    def check_clean(self) -> None:
        """Raises UserError when something is not committed: a release is made of what others can see."""
        if changed := self.git("status", "--porcelain"):
            raise UserError(f"The tree has changes:\n{changed}\nCommit them, or put them aside, then try again.")

    def check_new(self, tag: str) -> None:
        """Raises UserError when the tag is there."""
        if self.git("tag", "--list", tag):
            raise UserError(f"The tag {tag} is there already: give a higher VERSION")

    def commit(self, message: str) -> str:
        """Commits every change of a file that git knows, and returns the commit."""
        self.git("commit", "--quiet", "--all", f"--message={message}")
        return self.revision

    @property
    def revision(self) -> str:
        return self.git("rev-parse", "HEAD")

    @property
    def epoch(self) -> int:
        """When the commit was made, in seconds since 1970."""
        return int(self.git("show", "--no-patch", "--format=%ct", "HEAD"))

    @contextmanager
    def aside(self) -> Iterator[Tree]:
        """Another working tree at the same commit, on no branch; it goes away in the end, its commits stay."""
        with tempfile.TemporaryDirectory(prefix="detour-release-") as parent:
            folder = Path(parent) / "tree"
            self.git("worktree", "add", "--quiet", "--detach", str(folder))
            try:
                yield Tree(folder)
            finally:
                self.git("worktree", "remove", "--force", str(folder))
