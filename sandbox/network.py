"""The network namespace that the whole cluster lives in.

It has no interfaces but its loopback and the pods', so nothing reaches the host's interfaces or firewall, and all that
belongs to the sandbox is found by being in it. The node's address is on the loopback. There is a route for the Services
and no default route: what dials outside fails at once instead of timing out.
"""

from pathlib import Path

from sandbox import command
from sandbox.layout import NAME, NODE_ADDRESS, SERVICE_RANGE

HANDLE = Path("/run/netns") / NAME


def exists() -> bool:
    """Whether the namespace has its name; one left over from a boot before has not."""
    return HANDLE.exists()


def create() -> None:
    """Makes the namespace. Raises UserError when the kernel or the permissions do not allow it."""
    _ip("netns", "add", NAME)
    _ip("-netns", NAME, "link", "set", "lo", "up")
    _ip("-netns", NAME, "address", "add", f"{NODE_ADDRESS}/32", "dev", "lo")
    # Traffic to a Service needs a route before the firewall rewrites its destination to a pod.
    _ip("-netns", NAME, "route", "add", SERVICE_RANGE, "dev", "lo", "src", NODE_ADDRESS)


def delete() -> None:
    """Takes the namespace's name away; the namespace itself goes with the last process in it."""
    if exists():
        _ip("netns", "delete", NAME)


def inhabitants() -> list[int]:
    """The host's process ids of all that runs in the namespace; pods are in namespaces of their own."""
    if not exists():
        return []
    return [int(pid) for pid in _ip("netns", "pids", NAME).split()]


def entering(*program: str) -> list[str]:
    """The command, run inside. Not `ip netns exec`, which mounts /sys anew and hides the cgroups from the kubelet."""
    return ["nsenter", f"--net={HANDLE}", *program]


def _ip(*arguments: str) -> str:
    return command.run("ip", *arguments)
