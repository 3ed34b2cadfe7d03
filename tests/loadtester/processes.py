"""Real programs, all of them harmless."""

import itertools
import os
import shutil
import time
from collections.abc import Callable

from loadtester.command import split
from loadtester.process import Running

PROGRAMS = frozenset({"cat", "echo", "false", "head", "nohup", "sleep", "timeout", "true", "yes"})
_NUMBERS = itertools.count()
PATHS = {name: shutil.which(name) or "" for name in PROGRAMS}


def nap() -> str:
    """A minute's sleep like no other on this machine, so that `alive` can tell."""
    return f"60.{os.getpid()}{next(_NUMBERS):04}"


def running(line: str, grace: float = 5.0) -> Running:
    return Running(split(line), PATHS, grace)


def eventually(happened: Callable[[], bool], seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def alive(*words: str) -> bool:
    """Whether a process with exactly these words runs, zombies aside."""
    wanted = "\0".join(words).encode() + b"\0"
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if file.read() == wanted:
                    return True
        except OSError:
            continue
    return False
