"""Starts the node from nothing, and takes it away: the two ends of a sandbox's life."""

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from sandbox import cgroups, cluster, network, node, node_files, pki, ports, record, supervisor
from sandbox.errors import UserError
from sandbox.layout import CHECKOUT, LOGS, STATE, Ports

PROGRAMS = ("supervisor.py", "forward.py")
DEADLINE = 30.0


def fingerprint(binaries: Mapping[str, Path], wanted: Ports) -> str:
    """Changes whenever a running node is no longer the one that would be started now."""
    made_from = {
        "components": [component.as_json() for component in node.components(binaries)],
        "settings": {str(path): text for path, text in node_files.settings().items()},
        "ports": asdict(wanted),
        "addons": cluster.addons(),
        "programs": [(CHECKOUT / "sandbox" / name).read_text() for name in PROGRAMS],
    }
    return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()


def start(binaries: Mapping[str, Path], wanted: Ports) -> None:
    """Starts every component of a new node, and does not wait for them. Nothing of an earlier node may be left."""
    with ports.taken(wanted) as listeners:
        LOGS.mkdir(parents=True, exist_ok=True)
        cgroups.create()
        network.create()
        pki.create()
        node_files.write()
        forwarded = {listener.fileno(): target for listener, target in listeners}
        components = [*node.components(binaries), node.forwarder(forwarded)]
        supervisor.COMPONENTS.write_text(json.dumps([component.as_json() for component in components]))
        for path in supervisor.PRIVATE:
            Path(path).mkdir(parents=True, exist_ok=True)
        _supervise(list(forwarded))
    record.Record(CHECKOUT, fingerprint(binaries, wanted), wanted).write()


def _supervise(descriptors: list[int]) -> None:
    unshare = ("unshare", "--mount", "--propagation=slave", "--pid", "--fork", "--kill-child", "--mount-proc")
    command = network.entering(*unshare, sys.executable, "-m", "sandbox.supervisor")
    with (LOGS / "supervisor.log").open("ab") as log:
        subprocess.Popen(
            command,
            cwd="/",
            env={**node.ENVIRONMENT, "PYTHONPATH": str(CHECKOUT)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=descriptors,
            start_new_session=True,
        )


def is_supervised() -> bool:
    """Whether the supervisor lives; if so, whatever else has died is being started again."""
    return any(b"sandbox.supervisor" in _command_line(pid) for pid in network.inhabitants())


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it has ended
        return b""


def leftovers() -> bool:
    """Whether there is anything to take away, be it of a start that was cut off."""
    return network.exists() or bool(_state())


def _state() -> list[Path]:
    return [path for path in STATE.iterdir() if path != LOGS] if STATE.exists() else []


def stop() -> None:
    """Takes away whatever is left of the node: processes, namespaces, mounts, control groups, state; not the logs.

    Raises UserError when a process does not end.
    """
    end = time.monotonic() + DEADLINE
    # The pods end with the supervisor, yet a moment after it; their control groups can go when they have.
    while (inhabitants := network.inhabitants()) or not cgroups.delete():
        for pid in inhabitants:
            _kill(pid)
        if time.monotonic() > end:
            raise UserError(f"processes {inhabitants} of the sandbox do not end: see 'ps', then try again")
        time.sleep(0.05)
    network.delete()
    for path in _state():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
