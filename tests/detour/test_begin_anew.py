"""An analyzer that has lost the lease: the same process, and nothing of what it was doing."""

import subprocess
import sys
from pathlib import Path

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
