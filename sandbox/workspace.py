"""The folder `.sandbox` of the checkout: what a person on the host needs to use the sandbox."""

import os
from collections.abc import Mapping
from pathlib import Path

from sandbox import cluster
from sandbox.layout import LOGS, Ports


def kubeconfig(checkout: Path) -> Path:
    return checkout / ".sandbox" / "kubeconfig"


def write(checkout: Path, binaries: Mapping[str, Path], ports: Ports) -> None:
    """`.sandbox/kubeconfig`, `.sandbox/bin/kubectl` and `.sandbox/logs`."""
    folder = checkout / ".sandbox"
    (folder / "bin").mkdir(parents=True, exist_ok=True)
    _link(folder / "bin" / "kubectl", binaries["kubectl"])
    _link(folder / "logs", LOGS)
    descriptor = os.open(kubeconfig(checkout), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w") as file:
        file.write(cluster.admin_kubeconfig(ports.api))


def remove(checkout: Path) -> None:
    """Takes away the credentials, which fit no other sandbox. The logs and kubectl stay."""
    kubeconfig(checkout).unlink(missing_ok=True)


def _link(link: Path, target: Path) -> None:
    if not link.is_symlink() or link.readlink() != target:
        link.unlink(missing_ok=True)
        link.symlink_to(target)
