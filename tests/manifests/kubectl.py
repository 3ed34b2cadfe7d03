"""kubectl against the sandbox, or against the cluster that KUBECONFIG names."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

SANDBOX = Path(__file__).parents[2] / ".sandbox"


def kubectl(*arguments: str, given: dict[str, Any] | None = None) -> subprocess.CompletedProcess[str]:
    """Run it, with an object on its standard input for `-f -`. How it ends is the caller's business."""
    own = SANDBOX / "bin/kubectl"
    program = str(own) if own.exists() else shutil.which("kubectl")
    assert program, "no kubectl: run make up first"
    environment = {"KUBECONFIG": str(SANDBOX / "kubeconfig")} | os.environ
    return subprocess.run(
        [program, *arguments],
        input=json.dumps(given) if given else None,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
