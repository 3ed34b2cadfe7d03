"""A pipeline as running programs: one process group, a deadline, the end of its output kept. They start only here."""

import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO

from loadtester.command import Pipeline

KEPT = 64 * 1024
"""Bytes of output: load generators write their summary last."""

GRACE = 5.0
"""Seconds between asking a program to stop and killing it."""

HANDED_ON = ("PATH", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT")
"""Of our own environment: where programs are, and the API server, which helm and kubectl look for there."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a pipeline ended. `status` is that of its last program, as a shell has it; negative for a signal."""

    status: int
    expired: bool
    output: bytes
    dropped: int
    seconds: float

    @property
    def failed(self) -> bool:
        """Whether it did not come to a good end by itself."""
        return self.expired or self.status != 0


class Running:
    """Programs joined by pipes, standard error going where the last one's output goes."""

    def __init__(self, pipeline: Pipeline, paths: Mapping[str, str], grace: float = GRACE) -> None:
        """Start them. `paths`: where each program is. Of our environment they get `HANDED_ON`. Raises OSError."""
        self._grace, self._began = grace, time.monotonic()
        self._lock, self._ended = threading.Lock(), False
        self._kept, self._dropped, self._open = bytearray(), 0, True
        self._programs: list[subprocess.Popen[bytes]] = []
        self._output, written = os.pipe()
        try:
            try:
                self._start(pipeline, paths, written)
            finally:
                os.close(written)
        except BaseException:
            self.signal(signal.SIGKILL)
            self._finished(time.monotonic() + grace)
            os.close(self._output)
            raise

    def follow(self, timeout: float) -> Ending:
        """Wait for the end, at most `timeout` seconds and what stopping takes. To be called once."""
        expired = not self._finished(self._began + timeout)
        if expired:
            for number in (signal.SIGTERM, signal.SIGKILL):
                self.signal(number)
                if self._finished(time.monotonic() + self._grace):
                    break
        os.close(self._output)
        status = self._programs[-1].returncode
        seconds = time.monotonic() - self._began
        return Ending(-signal.SIGKILL if status is None else status, expired, bytes(self._kept), self._dropped, seconds)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to all of them, and to whatever they have started."""
        with self._lock:
            if self._programs and not self._ended:
                os.killpg(self._programs[0].pid, number)

    def _start(self, pipeline: Pipeline, paths: Mapping[str, str], written: int) -> None:
        source: int | IO[bytes] = subprocess.DEVNULL
        environment = {"HOME": "/nonexistent", "LANG": "C.UTF-8", "PATH": os.defpath}
        environment |= {name: os.environ[name] for name in HANDED_ON if name in os.environ}
        try:
            for number, words in enumerate(pipeline, start=1):
                program = subprocess.Popen(
                    words,
                    executable=paths[words[0]],
                    stdin=source,
                    stdout=written if number == len(pipeline) else subprocess.PIPE,
                    stderr=written,
                    cwd="/",
                    env=environment,
                    process_group=self._programs[0].pid if self._programs else 0,
                )
                self._programs.append(program)
                if not isinstance(source, int):
                    source.close()
                source = program.stdout or subprocess.DEVNULL
        finally:
            if not isinstance(source, int):
                source.close()

    def _finished(self, deadline: float) -> bool:
        """Take in output until all is over; False if that is later than the deadline.

        Nobody is reaped before the output is closed: the group's number stays ours for as long as it may be signalled.
        """
        while self._open:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._output], [], [], left)[0]:
                return False
            self._take(os.read(self._output, KEPT))
        while not self._reaped():
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.01)
        return True

    def _take(self, chunk: bytes) -> None:
        self._open = bool(chunk)
        self._kept += chunk
        if (excess := len(self._kept) - KEPT) > 0:
            del self._kept[:excess]
            self._dropped += excess

    def _reaped(self) -> bool:
        with self._lock:
            self._ended = all(program.poll() is not None for program in self._programs)
            return self._ended
