"""Detour's own pods, from inside, and what can happen to them."""

import os
import signal
from contextlib import suppress
from pathlib import Path

from tests.cluster.kubectl import get, kubectl

HOME = "detour"


def inside(container: str, program: str, *, check: bool = True) -> str:
    """What a Python program prints in such a container."""
    command = ("exec", "deployment/detour", "-c", container, "--", "python3", "-c", program)
    said = kubectl("-n", HOME, *command, check=check)
    return said.out + said.err


def log_of(container: str) -> str:
    """Of every replica."""
    return kubectl("-n", HOME, "logs", "-l", "app.kubernetes.io/name=detour", "-c", container, "--tail=-1").out


def kill_leader() -> None:
    """End the process of the analyzer that leads, as a crash would; the kubelet starts its container again."""
    leader = get("-n", HOME, "lease", "detour-analyzer")["spec"]["holderIdentity"]
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words, environment = ((process / name).read_bytes().split(b"\0") for name in ("cmdline", "environ"))
            if b"analyzer" in words and f"POD_NAME={leader}".encode() in environment:
                os.kill(int(process.name), signal.SIGKILL)
                return
    raise AssertionError(f"no process of {leader}, which leads, is running")
