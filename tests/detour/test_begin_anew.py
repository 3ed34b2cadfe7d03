"""An analyzer that has lost the lease: the same process, and nothing of what it was doing."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from detour import replica

ANALYZER = """
import os, sys, threading, time
from detour.replica import begin_anew

with open(sys.argv[1], "a+") as runs:
    print(os.getpid(), threading.active_count(), len(os.listdir("/proc/self/fd")), file=runs, flush=True)
    runs.seek(0)
    if len(list(runs)) < 3:
        threading.Thread(target=lambda: (time.sleep(0.1), begin_anew())).start()
        time.sleep(60)
"""


def test_it_begins_anew_as_the_same_process_without_its_threads_and_open_files(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    command = [sys.executable, "-c", ANALYZER, str(runs)]
    done = subprocess.run(command, timeout=60, check=True, capture_output=True, text=True)
    first, *later = runs.read_text().splitlines()
    assert later == [first, first]
    assert not done.stdout


class Hopeless:
    """A lease that cannot be asked for."""

    released = False

    def hold(self, on_lost: object) -> None:
        raise OSError("nothing works")

    def release(self) -> None:
        self.released = True


def test_one_that_cannot_begin_lets_another_try_and_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The webhook in the same pod would go out of the Service with it."""
    lease, done = Hopeless(), list[str]()
    cluster = SimpleNamespace(watches=())
    parts: Any = (lease, cluster, None, None, None, "me", None)
    monkeypatch.setattr(replica, "begin_anew", lambda: done.append("begun anew" if lease.released else "too early"))
    monkeypatch.setattr(replica, "BEFORE_ANOTHER_TRY", 0.0)
    replica.Replica(*parts).lead()
    assert done == ["begun anew"]
