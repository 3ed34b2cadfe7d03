"""The reference: the real Flagger 1.44, built from its Go module, in the sandbox.

Detour leaves to it what it sees, but costs something itself: so Detour is away while Flagger is measured.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sandbox import build, images
from sandbox.parts import Part
from tests.bench.figure import say
from tests.bench.processes import Size, size
from tests.cluster.kubectl import Object, eventually, get, kubectl
from tests.cluster.shop import PROMETHEUS

PART = Part(
    name="flagger",
    version="1.44.0",
    programs={"flagger": "github.com/fluxcd/flagger/cmd/flagger"},
    minutes=2,
    gigabytes=3,
    home=Path(__file__).parent / "parts",
)
NAME = "flagger"
PROGRAM = "/flagger/flagger"  # in its container
LABELS = {"app": NAME}


def user(namespace: str) -> str:
    """Who Flagger is to the API server."""
    return f"system:serviceaccount:{namespace}:{NAME}"


@contextmanager
def running(namespace: str) -> Iterator[None]:
    """Flagger at work in this namespace, and in no other, for the length of the block.

    It goes with its namespace, whose deletion is the caller's.
    """
    program = build.programs([PART])[NAME]
    say(f"  starting Flagger {PART.version} in {namespace}")
    items = [_account(), _rights(namespace), _deployment(namespace, program)]
    kubectl("-n", namespace, "apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    kubectl("-n", namespace, "rollout", "status", f"deployment/{NAME}", "--timeout=60s")
    try:
        yield
    finally:
        kubectl("-n", namespace, "delete", "deployment", NAME, "--ignore-not-found", "--timeout=60s")


def memory() -> Size:
    """What Flagger takes, now. Raises AssertionError when it does not run."""
    pids = []
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            with suppress(OSError):  # it has ended
                words = (process / "cmdline").read_text().split("\0")
                pids += [int(process.name)] if words[0] == PROGRAM else []
    assert pids, "no process of Flagger runs"
    return size(pids)


@contextmanager
def without_detour() -> Iterator[None]:
    """Detour scaled to 0 for the length of the block, and ready again after it, whatever happens in there.

    Nobody else may use the cluster meanwhile: updates of what is guarded are refused. Where this process is killed in
    there, `make up` brings Detour back.
    """
    deployment = get("-n", "detour", "deployment", "detour")
    replicas = deployment["spec"]["replicas"]
    say(f"  scaling Detour from {replicas} to 0")
    began = time.monotonic()
    try:
        kubectl("-n", "detour", "scale", "deployment/detour", "--replicas=0")
        eventually(lambda: not get("-n", "detour", "pods")["items"], "Detour's pods are gone", 90)
        yield
    finally:
        kubectl("-n", "detour", "scale", "deployment/detour", f"--replicas={replicas}")
        kubectl("-n", "detour", "rollout", "status", "deployment/detour", "--timeout=120s")
        say(f"  Detour is ready again, it was away for {time.monotonic() - began:.0f} s")


def _account() -> Object:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": NAME}}


def _rights(namespace: str) -> Object:
    """All of its own namespace: Flagger's chart gives it more, everywhere."""
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": NAME},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": namespace}],
    }


def _deployment(namespace: str, program: Path) -> Object:
    """The node is this machine, so the program is mounted from the cache into an image that holds next to nothing."""
    container = {
        "name": NAME,
        "image": images.PAUSE,
        "imagePullPolicy": "IfNotPresent",
        "command": [
            PROGRAM,
            "-mesh-provider=nginx",
            "-ingress-annotations-prefix=nginx.ingress.kubernetes.io",
            f"-namespace={namespace}",
            f"-metrics-server={PROMETHEUS}",
            "-log-level=info",
        ],
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 1},
        "volumeMounts": [{"name": "program", "mountPath": "/flagger", "readOnly": True}],
    }
    volume = {"name": "program", "hostPath": {"path": str(program.parent), "type": "Directory"}}
    pod = {
        "serviceAccountName": NAME,
        "terminationGracePeriodSeconds": 2,
        "containers": [container],
        "volumes": [volume],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": NAME, "labels": LABELS},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": LABELS},
            "template": {"metadata": {"labels": LABELS}, "spec": pod},
        },
    }
