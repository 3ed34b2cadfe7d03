"""`python -m sandbox status`: what runs, since when it had to be started again, and what the forwarder failed at."""

import os
from pathlib import Path

from sandbox import boot, forward, network, record, supervisor
from sandbox.layout import AUDIT_LOG, LOGS


def status() -> str:
    """What a person wants to know about the sandbox, as lines of text."""
    running = record.read()
    if running is None or not boot.is_supervised():
        return "the sandbox is down"
    pids = host_pids()
    lines = [f"the sandbox of {running.checkout} is up"]
    for name, component in supervisor.status().items():
        state = f"process {pids[component['pid']]}" if component["pid"] in pids else "down"
        lines.append(f"  {name:<24} {state}, restarts: {component['restarts']}")
    for name, (port, target) in running.ports.targets().items():
        lines.append(f"  {name:<24} 127.0.0.1:{port} leads to {target}")
    failed = ", ".join(f"{name}: {count}" for name, count in forward.failures().items())
    lines.append(f"  failures of the forwarder itself: {failed}")
    lines.append(f"  logs: {LOGS}, audit log: {AUDIT_LOG}")
    return "\n".join(lines)


def host_pids() -> dict[int, int]:
    """Process id in the sandbox's PID namespace → process id on the host, for what runs in its network namespace."""
    pids = {}
    own = os.readlink("/proc/self/ns/pid")
    for pid in network.inhabitants():
        try:
            if os.readlink(f"/proc/{pid}/ns/pid") != own:
                pids[_innermost_pid(Path(f"/proc/{pid}/status").read_text())] = pid
        except OSError:  # it has ended
            continue
    return pids


def _innermost_pid(status: str) -> int:
    """The last number of the line NSpid of /proc/<pid>/status: the process id in its own namespace (man proc)."""
    line = next(line for line in status.splitlines() if line.startswith("NSpid:"))
    return int(line.split()[-1])
