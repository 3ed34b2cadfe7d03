"""The serving certificate on disk, replaced as a whole.

Certificate and key are two files, and a server that reads one of them old and one new serves nobody. So both lie in a
directory of their own, and one rename of a symbolic link puts both in place, as the kubelet does for Secret volumes:

    tls.crt -> ..data/tls.crt      ..data -> ..7f3k2a      ..7f3k2a/{tls.crt,tls.key}
"""

import os
import shutil
import tempfile
from pathlib import Path

from certs.authority import Pair
from certs.errors import Unwritable

CERTIFICATE, KEY = "tls.crt", "tls.key"
CURRENT = "..data"


def publish(directory: Path, pair: Pair) -> None:
    """Put the pair in place; whoever dies on the way leaves the previous one. Raises `Unwritable`."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        version = Path(tempfile.mkdtemp(prefix="..", dir=directory))
        _write(version / CERTIFICATE, pair.certificate)
        _write(version / KEY, pair.key)
        _link(directory / CERTIFICATE, f"{CURRENT}/{CERTIFICATE}")
        _link(directory / KEY, f"{CURRENT}/{KEY}")
        previous = _target(directory)
        _link(directory / CURRENT, version.name)
        _sweep(directory, {version.name, previous})
    except OSError as error:
        raise Unwritable(
            f"the serving certificate cannot be written to {directory}: {error.strerror}: "
            "mount a writable emptyDir of medium Memory there"
        ) from error


def read(directory: Path) -> Pair | None:
    """The pair in place, both files of one version; None when there is none."""
    version = directory / _target(directory)
    try:
        return Pair((version / CERTIFICATE).read_bytes(), (version / KEY).read_bytes())
    except OSError:
        return None


def file(directory: Path, name: str) -> bytes:
    """A further file of the version in place; nothing if it is not there."""
    try:
        return (directory / _target(directory) / name).read_bytes()
    except OSError:
        return b""


def version(directory: Path) -> str:
    """What changes whenever the files do."""
    return _target(directory)


def _target(directory: Path) -> str:
    """The name of the current version, or one that never exists."""
    try:
        return os.readlink(directory / CURRENT)
    except OSError:
        return "..none"


def _write(path: Path, content: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


def _link(path: Path, target: str) -> None:
    """Make `path` a symbolic link to `target` in one step, whatever it was before."""
    if path.is_symlink() and os.readlink(path) == target:
        return
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    aside = path.with_name(f"..{path.name.lstrip('.')}.new")
    aside.unlink(missing_ok=True)
    aside.symlink_to(target)
    os.replace(aside, path)


def _sweep(directory: Path, keep: set[str]) -> None:
    """Remove old versions, and what a crash left. The last one stays for a server that is just reading it."""
    for entry in directory.iterdir():
        if entry.name.startswith("..") and entry.name not in keep and entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
