"""Takes the sandbox's ports on the host's loopback, or says who has them."""

import contextlib
import errno
import re
import socket
from collections.abc import Iterator
from pathlib import Path

from sandbox.errors import UserError
from sandbox.layout import Ports, variable

LISTENING = "0A"
BACKLOG = 4096


@contextlib.contextmanager
def taken(ports: Ports) -> Iterator[list[tuple[socket.socket, str]]]:
    """A listening socket for every port, and where its connections lead. Who inherits the sockets keeps them.

    Raises UserError that names who holds a port already.
    """
    with contextlib.ExitStack() as listeners:
        yield [
            (listeners.enter_context(_listen(name, port)), target) for name, (port, target) in ports.targets().items()
        ]


def _listen(name: str, port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        used = error.errno == errno.EADDRINUSE
        reason = f"is taken by {holder(port)}: stop it" if used else f"cannot be used ({error}): free it"
        raise UserError(f"port {port} of 127.0.0.1 {reason}, or set {variable(name)} to another") from error
    return listener


def holder(port: int, proc: Path = Path("/proc")) -> str:
    """The name and the process id of what listens on this port: 'nginx (process 812)'."""
    inodes = _listeners((proc / "net/tcp").read_text(), port) | _listeners((proc / "net/tcp6").read_text(), port)
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for process in proc.iterdir():
        if process.name.isdecimal() and wanted & _links(process / "fd"):
            return f"{(process / 'comm').read_text().strip()} (process {process.name})"
    return "another process, which cannot be seen from here"


def _listeners(table: str, port: int) -> set[str]:
    """The inodes of the sockets that listen on the port (Linux, Documentation/networking/proc_net_tcp.rst)."""
    rows = (line.split() for line in table.splitlines()[1:])
    return {row[9] for row in rows if row[3] == LISTENING and re.fullmatch(f"[0-9A-F]+:{port:04X}", row[1])}


def _links(directory: Path) -> set[str]:
    found = set()
    with contextlib.suppress(OSError):  # the process has ended, or is not ours to look at
        for link in directory.iterdir():
            with contextlib.suppress(OSError):  # only this file was closed meanwhile
                found.add(str(link.readlink()))
    return found
