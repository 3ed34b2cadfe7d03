"""`python -m release 1.4.0`: what users get, in dist/, its commit and its tag; without a version: dist/ alone."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from release import changelog, version
from release.artifacts import Making
from release.tree import Tree
from sandbox.errors import UserError
from sandbox.progress import say

CHECKOUT = Path(__file__).resolve().parent.parent
DIST = "dist"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m release", description=__doc__)
    parser.add_argument("version", nargs="?", help="three numbers; left out: make dist/ anew from what is checked out")
    parser.add_argument("--dry-run", action="store_true", help="make dist/, but neither commit nor tag")
    parser.add_argument("--base", default="", help="a base image in place of the one that debootstrap makes")
    arguments = parser.parse_args()
    tree = Tree(CHECKOUT)
    try:
        tree.check_clean()
        if arguments.version:
            release(tree, arguments.version, arguments.base, dry=arguments.dry_run)
        else:
            _make(tree, tree, arguments.base)
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def release(tree: Tree, name: str, base: str, *, dry: bool) -> None:
    """Makes dist/, then the commit of this version, its tag, and the commit after it. Raises UserError.

    Everything happens aside until all of it is made, so a failure leaves the repository as it was.
    """
    tag = f"v{name}"
    version.parse(name)
    tree.check_new(tag)
    with tree.aside() as aside:
        released, next_one = prepare(aside, name)
        aside.git("checkout", "--quiet", released)
        _make(tree, aside, base)
    notes = changelog.notes(tree.git("show", f"{released}:{changelog.FILE}"), name)
    if dry:
        say(f"a dry run: nothing is committed. Without --dry-run {tag} would say:\n{notes}")
        return
    tree.git("merge", "--quiet", "--ff-only", next_one)
    tree.git("tag", "--annotate", tag, released, f"--message=Detour {name}\n\n{notes}", "--cleanup=verbatim")
    say(f"{tag} is {released[:12]}. Publish it: git push --follow-tags, and what is in {DIST}/.")


def prepare(tree: Tree, name: str) -> tuple[str, str]:
    """Commits the version, then the manifests as they were, with the images that are built from the tree; both."""
    before = tree.revision
    file = tree.folder / changelog.FILE
    file.write_text(changelog.release(file.read_text(), name, datetime.now(UTC).date()))
    version.write(tree.folder, name)
    released = tree.commit(f"Release {name}")
    tree.git("checkout", "--quiet", before, "--", version.MANIFESTS)
    return released, tree.commit(f"Let the manifests name what is built from the tree again, after {name}")


def _make(tree: Tree, source: Tree, base: str) -> None:
    target = tree.folder / DIST
    for path in Making(source, target, base).make():
        say(f"{path.stat().st_size / 1e6:6.1f} MB  {DIST}/{path.name}")


if __name__ == "__main__":
    sys.exit(main())
