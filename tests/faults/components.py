"""Faults of the sandbox's own components (API server, etcd, kubelet, …), each taken back at the end of its block.

A component that stands still would do so for ever if the tests died meanwhile: a process of its own wakes it then.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sandbox import supervisor
from sandbox.status import host_pids
from tests.cluster.kubectl import eventually, kubectl

LONGEST = 150  # seconds that a component stands still, whatever becomes of the tests


def process_of(component: str) -> int:
    """Its process id on the host. Fails when it is down."""

    def found() -> int:
        return host_pids().get(supervisor.status()[component]["pid"], 0)

    return eventually(found, f"{component} runs", 10)


def kill(component: str) -> None:
    """As a crash; the supervisor starts it again, and this waits for that alone, not until it works."""
    before = supervisor.restarts(component)
    os.kill(process_of(component), signal.SIGKILL)
    eventually(lambda: supervisor.restarts(component) > before, f"{component} is started again", 10)


def until_the_api_server_answers(seconds: float = 60) -> None:
    """Wait until it calls itself ready."""
    asked = ("get", "--raw=/readyz", "--request-timeout=2s")
    eventually(lambda: kubectl(*asked, check=False).code == 0, "the API server is ready", seconds)


@contextmanager
def standing_still(component: str) -> Iterator[None]:
    """Nothing is lost and nobody is told: the kernel goes on accepting connections for it."""
    process = process_of(component)
    waker = subprocess.Popen(["sh", "-c", f"sleep {LONGEST}; kill -CONT {process}"], start_new_session=True)
    try:
        os.kill(process, signal.SIGSTOP)
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGCONT)
        waker.kill()
        waker.wait()


@contextmanager
def slow(component: str, still: float, moving: float) -> Iterator[None]:
    """Stands still for `still` seconds, works for `moving` seconds, and so on."""
    over = threading.Event()

    def alternate() -> None:
        while not over.is_set():
            with standing_still(component):
                time.sleep(still)
            over.wait(moving)

    thread = threading.Thread(target=alternate, name=f"slow-{component}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(still + 5)
