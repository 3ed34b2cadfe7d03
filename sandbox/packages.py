"""The Debian packages that the sandbox needs. A program that the host has from elsewhere, such as Docker's, is kept."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from sandbox.errors import UserError
from sandbox.progress import say, step

# Package → a program or a file of it, by which it is known to be there.
PACKAGES: Mapping[str, str] = {
    "buildah": "buildah",
    "containerd": "containerd",
    "containernetworking-plugins": "/usr/lib/cni/ptp",
    "debian-archive-keyring": "/usr/share/keyrings/debian-archive-keyring.gpg",
    "debootstrap": "debootstrap",
    "faketime": "faketime",
    "hey": "hey",
    "iproute2": "ip",
    "nftables": "nft",
    "openssl": "openssl",
    "runc": "runc",
}
DEADLINE_SECONDS = 15 * 60
PAUSES = (5, 20, None)
_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"])
# The host shall get no running containerd of its own: within this mount namespace, which goes with the command however
# that ends, the programs with which a package enables and starts its service do nothing.
_WITHOUT_SERVICES = """
for helper in /usr/bin/deb-systemd-helper /usr/bin/deb-systemd-invoke /usr/sbin/invoke-rc.d; do
    [ ! -e $helper ] || mount --bind /bin/true $helper
done
exec "$@"
"""
_APT = ("apt-get", "--yes", "--quiet", "-o", "Acquire::Retries=3", "-o", "DPkg::Lock::Timeout=300")


def missing(packages: Mapping[str, str] = PACKAGES) -> list[str]:
    """The packages whose program or file is not on this host."""
    return [package for package, program in packages.items() if not _is_there(program)]


def _is_there(program: str) -> bool:
    return Path(program).exists() if program.startswith("/") else shutil.which(program, path=_PATH) is not None


def install(log: Path) -> None:
    """Installs what is missing, with apt-get, whose output goes to `log`; needs no network when nothing is.

    Raises UserError when this is no Debian or Ubuntu, or apt-get fails again and again.
    """
    needed = missing()
    if not needed:
        return
    if shutil.which("apt-get") is None:
        raise UserError(
            f"There is no apt-get here to install {' '.join(needed)} with: install them yourself, then go on."
        )
    log.parent.mkdir(parents=True, exist_ok=True)
    with step(f"installing {' '.join(needed)}"):
        _retry(needed, log, deadline=time.monotonic() + DEADLINE_SECONDS)
    if still := missing():
        raise UserError(f"apt-get installed {' '.join(still)} without the programs expected of them: see {log}.")


def _retry(needed: list[str], log: Path, deadline: float) -> None:
    # Nothing may be removed: Docker's packages and Debian's exclude each other.
    commands = ([*_APT, "update"], [*_APT, "install", "--no-install-recommends", "--no-remove", *needed])
    for pause in PAUSES:
        if all(_succeeds(command, log, deadline - time.monotonic()) for command in commands):
            return
        if pause is not None:
            say(f"apt-get failed, next attempt in {pause} s (log: {log})")
            time.sleep(pause)
    raise UserError(f"apt-get cannot install {' '.join(needed)}: put right what the end of {log} says, then try again.")


def _succeeds(command: list[str], log: Path, seconds: float) -> bool:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    with log.open("a") as output:
        try:
            result = subprocess.run(
                ["unshare", "--mount", "sh", "-c", _WITHOUT_SERVICES, "sh", *command],
                env=environment,
                stdout=output,
                stderr=output,
                timeout=max(seconds, 1),
            )
        except subprocess.TimeoutExpired:
            return False
    return result.returncode == 0
