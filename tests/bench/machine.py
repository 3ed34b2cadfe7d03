"""Where and on what a run was made: without it no figure can be compared with another."""

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from tests.cluster.kubectl import ROOT, kubectl


def circumstances() -> list[str]:
    """Commit, date, machine and cluster, a line each. Raises what git or kubectl complain of."""
    version = json.loads(kubectl("get", "--raw=/version").out)["gitVersion"]
    return [*host(), f"Kubernetes {version}, the API server and everything else of the sandbox on the same machine"]


def host() -> list[str]:
    """The same, where no cluster takes part."""
    commit, changed = _git("rev-parse", "--short=12", "HEAD"), _git("status", "--porcelain", "--untracked-files=no")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return [
        f"commit {commit}{', with changes that are not committed' if changed else ''}",
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        f"{os.cpu_count()} processors ({_processor()}), {memory:.0f} GiB of memory, Linux {platform.release()}",
    ]


class Stolen:
    """How much of the processors' time the host gave to others since this was made (`steal` of proc_stat(5))."""

    def __init__(self) -> None:
        self._before = _ticks()

    @property
    def text(self) -> str:
        """For the evidence: figures of a machine that was not there compare with nothing."""
        stolen, whole = (now - before for now, before in zip(_ticks(), self._before, strict=True))
        return f"{100 * stolen / max(whole, 1):.0f} % of the processors' time was taken away by the host"


def _ticks() -> tuple[int, int]:
    """Those taken away, and all there were."""
    user, nice, system, idle, waiting, hard, soft, stolen = map(int, Path("/proc/stat").read_text().split()[1:9])
    return stolen, user + nice + system + idle + waiting + hard + soft + stolen


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True, timeout=60)
    return done.stdout.strip()
