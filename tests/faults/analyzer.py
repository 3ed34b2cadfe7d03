"""One analyzer as a process of the host: killed, stopped, paused, and asked how it is."""

import signal
import socket
import subprocess
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.kubectl import eventually

AT_WORK = "at work"
"""What it logs when it has begun."""


@dataclass(frozen=True, slots=True)
class Analyzer:
    """One process. `pod` is what it is called in the Lease; what it logged before it began is none of its own."""

    pod: str
    process: subprocess.Popen[bytes]
    port: int
    log: Path
    offset: int

    def kill(self) -> None:
        """As a crash: it hears nothing of it."""
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> None:
        """As the kubelet asks it to end; it may give the lease back."""
        self.process.terminate()
        self.process.wait(20)

    def pause(self) -> None:
        """It stands still, and does not notice that time passes."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    @property
    def paused(self) -> bool:
        """Whether it stands still, by whomever: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html."""
        stat = Path(f"/proc/{self.process.pid}/stat").read_text()
        return stat.rpartition(")")[2].split()[0] == "T"

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    @property
    def ready(self) -> bool:
        """Whether it knows what there is, so that it can act as soon as it leads."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    @property
    def said(self) -> str:
        """Its log."""
        with self.log.open("rb") as log:
            log.seek(self.offset)
            return log.read().decode(errors="replace")

    def until_at_work(self, seconds: float = 30) -> None:
        """Wait until it leads and has begun."""
        eventually(lambda: AT_WORK in self.said or not self.running, f"{self.pod} is at work", seconds, self._tail)
        assert self.running, f"{self.pod} has ended: {self._tail()}"

    def until_ended(self, seconds: float = 30) -> int:
        """Wait for its end; the exit status, negative for a signal."""
        return self.process.wait(seconds)

    def _tail(self) -> str:
        return self.said[-1000:]


def free_port() -> int:
    """Where nobody listens on the loopback."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
