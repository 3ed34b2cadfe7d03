"""kubectl as a user has it: the real program, its output and its warnings."""

import functools
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tests.cluster.reading import Absent, Reader

ROOT = Path(__file__).parents[2]
KUBECTL = ROOT / ".sandbox/bin/kubectl"
KUBECONFIG = ROOT / ".sandbox/kubeconfig"

Object = dict[str, Any]
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed, and whether it was content."""

    out: str
    err: str
    code: int

    @property
    def warnings(self) -> list[str]:
        """The lines that admission added."""
        return [line.removeprefix("Warning: ") for line in self.err.splitlines() if line.startswith("Warning: ")]


def kubectl(*arguments: str, stdin: str | None = None, check: bool = True, env: dict[str, str] | None = None) -> Said:
    """Run kubectl against the sandbox; with `check`, a failure is the test's."""
    command = [str(KUBECTL), "--kubeconfig", str(KUBECONFIG), *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=180, env=env, check=False)
    if check and done.returncode:
        raise AssertionError(f"kubectl {' '.join(arguments)}\n{done.stdout}{done.stderr}")
    return Said(done.stdout, done.stderr, done.returncode)


def get(*arguments: str) -> Object:
    """An object, or a list of them, as `kubectl get -o json` has it."""
    try:
        return _reader().get(*arguments)
    except Absent as absent:
        raise AssertionError(f"kubectl get {' '.join(arguments)}\n{absent}") from absent


def exists(*arguments: str) -> bool:
    """Whether `get` finds an object, or any."""
    try:
        return bool(_reader().get(*arguments).get("items", True))
    except Absent:
        return False


def send(method: str, path: str, body: Object | None = None) -> Object:
    """A request that no user makes, without the cost of a program. Raises Absent."""
    return _reader().send(method, path, body)


@functools.cache
def _reader() -> Reader:
    return Reader(KUBECONFIG)


def eventually(
    condition: Callable[[], Answer], what: str, seconds: float = 60, shows: Callable[[], object] = str
) -> Answer:
    """The first true answer of `condition`; fails saying `what` did not come about, and what there is instead."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what}; {shows()}")
        time.sleep(0.2)
    return answer
