"""What may be run, and where it is: the allowed programs, looked up in PATH, and the operator's own suites."""

import os
import shutil
from pathlib import Path

from loadtester.command import Pipeline, permissible
from loadtester.errors import CannotStart, Refused
from loadtester.interpreters import is_interpreter

MULTICALL = frozenset({"busybox", "toybox", "coreutils"})
"""They are what they are called by: a link to one of them is the program of its own name."""


class Programs:
    """Names that callers may use. `suites`: a directory of executables, each allowed by its name as it is put there."""

    def __init__(self, allowed: frozenset[str], suites: Path | None = None) -> None:
        self._allowed, self._suites = allowed, suites

    @property
    def names(self) -> frozenset[str]:
        """All of them, as of now."""
        return self._allowed | self._own().keys()

    def paths(self, pipeline: Pipeline) -> dict[str, str]:
        """Where each program of a pipeline is. Raises CannotStart."""
        own = self._own()
        found = {words[0]: own.get(words[0]) or shutil.which(words[0]) for words in pipeline}
        if missing := sorted(name for name, path in found.items() if path is None):
            names = ", ".join(missing)
            raise CannotStart(f"not in the load tester's image, though allowed: {names}; use one that has it")
        return {name: path for name, path in found.items() if path}

    def _own(self) -> dict[str, str]:
        """The suites by name. A directory that is not there, or no longer, has none."""
        try:
            entries = list(os.scandir(self._suites)) if self._suites else []
        except OSError:
            return {}
        return {entry.name: entry.path for entry in entries if entry.is_file() and os.access(entry.path, os.X_OK)}


def checked(names: frozenset[str]) -> frozenset[str]:
    """The list of programs, if it is one. Raises Refused for what it must not have, under whatever name."""
    for name in sorted(permissible(names)):
        behind = Path(os.path.realpath(shutil.which(name) or name)).name
        if behind not in MULTICALL and is_interpreter(behind):
            raise Refused(f"{name} is {behind} here, and runs whatever its caller says: a list with it would be none")
    return names
