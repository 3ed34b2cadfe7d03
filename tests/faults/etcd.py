"""Forgetting history: what etcd has compacted, no watch can be resumed from (410, Expired).

`python -m tests.faults.etcd`, within the sandbox's network namespace, where alone etcd listens.
https://etcd.io/docs/v3.6/dev-guide/api_grpc_gateway/
"""

import base64
import json
import subprocess
import sys
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

from sandbox import network
from sandbox.node import ETCD
from tests.cluster.kubectl import ROOT


def compact() -> int:
    """Forget all but the present. Returns the revision that is the oldest one left."""
    command = network.entering(sys.executable, "-m", "tests.faults.etcd")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=True)
    return int(done.stdout)


def _post(path: str, **body: Any) -> Any:
    request = Request(f"{ETCD}/v3/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})
    with build_opener(ProxyHandler({})).open(request, timeout=10) as answer:
        return json.load(answer)


def main() -> None:
    any_key = base64.b64encode(b"/").decode()
    revision = _post("kv/range", key=any_key)["header"]["revision"]
    _post("kv/compaction", revision=revision, physical=True)
    print(revision)


if __name__ == "__main__":
    main()
