"""Reads a kubectl command that goes on and on, line by line, in a thread of its own."""

import subprocess
import threading
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from tests.cluster.kubectl import KUBECONFIG, KUBECTL


class Follower(ABC):
    """In the `with` block every line that the command says is given to `heard`."""

    def __init__(self, *arguments: str) -> None:
        self._command = [str(KUBECTL), "--kubeconfig", str(KUBECONFIG), *arguments]

    @abstractmethod
    def heard(self, line: str) -> None:
        """One line."""

    @property
    def ended(self) -> bool:
        """Whether the command has given up."""
        return self._process.poll() is not None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(timeout=10)
        self._reader.join(timeout=10)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.heard(line)
