"""A terminal in which the commands of a page are typed, one after the other, as its reader would type them."""

import os
import re
import secrets
import selectors
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.cluster.kubectl import KUBECONFIG, KUBECTL, ROOT
from tests.cluster.users import INGRESS

GAP = "…"
DEADLINE = 90.0  # seconds a command
CURL = """#!{python}
# A host without curl: what the pages ask it for, and nothing else of it.
import sys, urllib.request
name, _, value = sys.argv[sys.argv.index("-H") + 1].partition(": ")
try:
    urllib.request.urlopen(urllib.request.Request(sys.argv[-1], headers={{name: value}}), timeout=10).read()
except OSError as error:
    sys.exit(str(error))
"""


class Session:
    """One shell, in a folder of its own from which `manifests/` can be reached."""

    def __init__(self, folder: Path) -> None:
        programs = folder / "programs"
        programs.mkdir()
        (programs / "kubectl").symlink_to(KUBECTL)
        (folder / "manifests").symlink_to(ROOT / "manifests")
        if shutil.which("curl") is None:
            (programs / "curl").write_text(CURL.format(python=sys.executable))
            (programs / "curl").chmod(0o755)
        path = os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ["PATH"]])
        surroundings = {"PATH": path, "KUBECONFIG": str(KUBECONFIG), "INGRESS": INGRESS, "PYTHONPATH": str(ROOT)}
        self._mark = secrets.token_hex(8)
        self._shell = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],
            cwd=folder,
            env=os.environ | surroundings,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def types(self, command: str) -> tuple[str, int]:
        """What a command prints, and how it exits. Fails the test when it takes too long."""
        assert self._shell.stdin
        self._shell.stdin.write(f'{command}\necho "{self._mark} $?"\n'.encode())
        self._shell.stdin.flush()
        text = self._until(re.compile(rf"{self._mark} (\d+)\n"), command)
        said, _, rest = text.rpartition(self._mark)
        return said, int(rest)

    def _until(self, end: re.Pattern[str], command: str) -> str:
        """What the shell prints until then."""
        assert self._shell.stdout
        deadline, read = time.monotonic() + DEADLINE, b""
        with selectors.DefaultSelector() as ready:
            ready.register(self._shell.stdout, selectors.EVENT_READ)
            while not end.search(read.decode(errors="replace")):
                assert ready.select(max(0.0, deadline - time.monotonic())), f"no end of {command}\n{read.decode()}"
                more = os.read(self._shell.stdout.fileno(), 65536)
                assert more, f"the shell ended at {command}"
                read += more
        return read.decode(errors="replace")

    def close(self) -> None:
        """The shell goes, and whatever it has started in the background."""
        os.killpg(self._shell.pid, 15)
        self._shell.communicate(timeout=10)


def commands(language: str, text: str) -> Iterator[tuple[str, str | None]]:
    """What a block has one type, and what it shows of the answer: None where it shows none.

    `console`: lines that begin with `$ ` are typed, the others shown. `sh`: typed as it stands, where
    each command counts, not the last alone.
    """
    if language == "sh":
        yield f"failed=0; trap 'failed=$?' ERR\n{text}trap - ERR; (exit $failed)", None
        return
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        typed, _, shown = re.sub(r"\s*\\\n\s*", " ", part).partition("\n")
        yield typed, shown


def is_as_shown(said: str, shown: str) -> bool:
    """Whether an answer is the one that a page shows, where `…` stands for anything, alone in a line for any lines."""
    lines = [".*?".join(map(re.escape, line.split(GAP))) for line in shown.rstrip("\n").split("\n")]
    pattern = "".join("(?:[^\n]*\n)*?" if line == ".*?" else f"{line}\n" for line in lines)
    return re.fullmatch(pattern, said if said.endswith("\n") or not said else f"{said}\n") is not None
