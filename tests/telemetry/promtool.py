"""promtool, which says what Prometheus makes of rules: the host's, or Debian's, unpacked and not installed."""

import shutil
import subprocess
from pathlib import Path

from sandbox import cache

PACKAGE = "prometheus"


def program() -> Path:
    """Fetched once; a build of the sandbox's own version would take minutes for the same answers."""
    if found := shutil.which("promtool"):
        return Path(found)
    folder = cache.root() / "debian" / PACKAGE
    kept = folder / "usr/bin/promtool"
    with cache.locked():
        if not kept.exists():
            folder.mkdir(parents=True, exist_ok=True)
            subprocess.run(["apt-get", "download", "-q", PACKAGE], cwd=folder, check=True, timeout=300)
            (archive,) = folder.glob(f"{PACKAGE}_*.deb")
            subprocess.run(["dpkg-deb", "-x", archive, folder], check=True, timeout=300)
            archive.unlink()
    return kept
