"""The sandbox's first process: starts the node's components and starts a component that died again, at once.

It is process 1 of a PID namespace and has a mount namespace of its own. So the kernel itself takes every component, pod
and mount with it, however it dies, and nothing has to be searched for and cleaned up.
"""

import json
import os
import resource
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.layout import LOGS, STATE

COMPONENTS = STATE / "components.json"
STATUS = STATE / "status.json"
# Where containerd, the kubelet and the CNI plugins leave files at fixed places: theirs are hidden from the host's.
PRIVATE = ("/run", "/var/log", "/var/lib/cni")
SETTLED = 2.0
LONGEST_PAUSE = 2.0


@dataclass(frozen=True, slots=True)
class Component:
    """A program that the node consists of. `descriptors` are listening sockets that it inherits."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    descriptors: tuple[int, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "command": list(self.command),
            "environment": dict(self.environment),
            "descriptors": list(self.descriptors),
        }

    @staticmethod
    def from_json(value: dict[str, Any]) -> "Component":
        return Component(value["name"], tuple(value["command"]), value["environment"], tuple(value["descriptors"]))


@dataclass(slots=True)
class Run:
    """How a component is doing. Times are of the monotonic clock."""

    component: Component
    pid: int | None = None
    started: float = 0.0
    due: float = 0.0
    pause: float = 0.0
    restarts: int = -1

    def start(self, now: float) -> None:
        self.pid, self.started = spawn(self.component), now
        self.restarts += 1

    def died(self, now: float) -> None:
        """At once again, unless it dies again and again as soon as it is started."""
        self.pid = None
        self.pause = 0.0 if now - self.started >= SETTLED else min(LONGEST_PAUSE, 2 * self.pause or 0.1)
        self.due = now + self.pause


def restarts(component: str) -> int:
    """How often the component had to be started again since the sandbox is up; 0 when there is none."""
    return int(status().get(component, {}).get("restarts", 0))


def status() -> dict[str, dict[str, Any]]:
    """Name → `pid` in the sandbox's own PID namespace (None while it is down) and `restarts`."""
    try:
        components: dict[str, dict[str, Any]] = json.loads(STATUS.read_text())
    except FileNotFoundError:
        return {}
    return components


def spawn(component: Component) -> int:
    """Starts the component's process with its output in its log."""
    log = os.fspath(LOGS / f"{component.name}.log")
    output = (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    errors = (os.POSIX_SPAWN_DUP2, 1, 2)
    # Onto itself: only this takes the close-on-exec flag off, for this child alone.
    inherited = [(os.POSIX_SPAWN_DUP2, descriptor, descriptor) for descriptor in component.descriptors]
    actions = [output, errors, *inherited]
    command, environment = component.command, component.environment
    return os.posix_spawn(command[0], command, environment, file_actions=actions, setsigmask=())


def seclude() -> None:
    """Hides the host's files at the fixed places; only in this mount namespace."""
    for path in PRIVATE:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", path], check=True, timeout=30)


def reap() -> list[int]:
    """The process ids of all children that have ended: components, and their orphans, which a process 1 inherits."""
    ended: list[int] = []
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended.append(pid)


def report(runs: list[Run]) -> None:
    aside = STATUS.with_suffix(".new")
    aside.write_text(json.dumps({run.component.name: {"pid": run.pid, "restarts": run.restarts} for run in runs}))
    aside.replace(STATUS)


def supervise(components: list[Component]) -> None:
    """Keeps the components running until it is told to end."""
    awaited = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
    runs = [Run(component) for component in components]
    while True:
        now = time.monotonic()
        for run in runs:
            if run.pid is None and run.due <= now:
                run.start(now)
        report(runs)
        waiting = [run.due - now for run in runs if run.pid is None]
        received = signal.sigtimedwait(awaited, max(0.0, min(waiting, default=3600.0)))
        if received is not None and received.si_signo != signal.SIGCHLD:
            return
        ended = reap()
        for run in runs:
            if run.pid in ended:
                run.died(time.monotonic())


def main() -> None:
    components = [Component.from_json(value) for value in json.loads(COMPONENTS.read_text())]
    for descriptor in (descriptor for component in components for descriptor in component.descriptors):
        os.set_inheritable(descriptor, False)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    seclude()
    supervise(components)


if __name__ == "__main__":
    main()
