"""What the sandbox builds: one table, so that a version is raised in one place (and in the part's own go.mod)."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent / "parts"
FLAGS = "-trimpath -buildvcs=false"
LINKER_FLAGS = "-s -w"
KUBERNETES = "1.36.3"


@dataclass(frozen=True, slots=True)
class Part:
    """Programs built together from one go.mod, which pins everything by its go.sum.

    `programs` maps a program's name to its Go package, `variables` are set by the linker, `assets` maps a module to a
    folder of it that is needed at run time, and there may be nothing else to a part. `minutes` and `gigabytes` are what
    a cold build takes on 2 cores. `home` is the folder of parts that it is in, when that is not the sandbox's own.
    """

    name: str
    version: str
    programs: Mapping[str, str]
    minutes: float
    gigabytes: float
    tags: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    assets: Mapping[str, str] = field(default_factory=dict)
    home: Path | None = None

    @property
    def folder(self) -> Path:
        return (self.home or FOLDER) / self.name

    @property
    def title(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def linker_flags(self) -> str:
        return " ".join([LINKER_FLAGS, *(f"-X {variable}={value}" for variable, value in self.variables.items())])

    def key(self) -> str:
        """The hash of all that decides what is built: the sources, the pinned modules, the flags and the processor.

        Not Go's version: another Go makes other programs, but none that behave otherwise.
        """
        inputs = (self.version, dict(self.programs), self.tags, self.linker_flags, dict(self.assets), FLAGS)
        digest = hashlib.sha256(f"{inputs} {platform.machine()}".encode())
        for path in sorted(path for path in self.folder.rglob("*") if path.is_file()):
            content = path.read_bytes()
            digest.update(f"{path.relative_to(self.folder)} {len(content)}\n".encode() + content)
        return digest.hexdigest()[:12]


def _kubernetes_version() -> dict[str, str]:
    major, minor, _ = KUBERNETES.split(".")
    server, client = "k8s.io/component-base/version", "k8s.io/client-go/pkg/version"
    return {
        f"{server}.gitVersion": f"v{KUBERNETES}",
        f"{server}.gitMajor": major,
        f"{server}.gitMinor": minor,
        f"{client}.gitVersion": f"v{KUBERNETES}",
    }


_PROGRAMS_OF_KUBERNETES = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubectl",
    "kubelet",
)

PARTS = (
    Part(
        name="kubernetes",
        version=KUBERNETES,
        programs={name: f"k8s.io/kubernetes/cmd/{name}" for name in _PROGRAMS_OF_KUBERNETES},
        tags="grpcnotrace",
        variables=_kubernetes_version(),
        minutes=4.5,
        gigabytes=7,
    ),
    Part(
        name="etcd",
        version="3.6.16",
        programs={"etcd": "go.etcd.io/etcd/server/v3", "etcdctl": "go.etcd.io/etcd/etcdctl/v3"},
        minutes=0.5,
        gigabytes=1,
    ),
    Part(
        name="traefik",
        version="3.7.5",
        programs={"traefik": "github.com/traefik/traefik/v3/cmd/traefik"},
        variables={"github.com/traefik/traefik/v3/pkg/version.Version": "3.7.5"},
        minutes=5.5,
        gigabytes=6,
    ),
    Part(
        name="prometheus",
        version="3.13.5",
        programs={"prometheus": "github.com/prometheus/prometheus/cmd/prometheus"},
        tags="remove_all_sd,enable_kubernetes_sd",
        variables={"github.com/prometheus/common/version.Version": "3.13.5"},
        minutes=2.5,
        gigabytes=3,
    ),
    Part(
        name="coredns",
        version="1.15.0",
        programs={"coredns": "detour.dev/sandbox/parts/coredns"},
        minutes=1.5,
        gigabytes=1.5,
    ),
    Part(
        name="gateway-api",
        version="1.5.1",
        programs={},
        assets={"sigs.k8s.io/gateway-api": "config/crd/standard"},
        minutes=0.1,
        gigabytes=0.5,
    ),
    Part(
        name="metrics-server",
        version="0.9.0",
        programs={"metrics-server": "sigs.k8s.io/metrics-server/cmd/metrics-server"},
        minutes=1.5,
        gigabytes=2,
    ),
    Part(
        name="podinfo",
        version="6.9.2",
        programs={
            "podcli": "github.com/stefanprodan/podinfo/cmd/podcli",
            "podinfo": "github.com/stefanprodan/podinfo/cmd/podinfo",
        },
        assets={"github.com/stefanprodan/podinfo": "ui"},
        minutes=0.5,
        gigabytes=1,
    ),
    Part(
        name="seed-app",
        version="1",
        programs={"seed-app": "detour.dev/sandbox/parts/seed-app"},
        minutes=0.2,
        gigabytes=0.5,
    ),
    Part(
        name="pause",
        version="1",
        programs={"pause": "detour.dev/sandbox/parts/pause"},
        minutes=0.1,
        gigabytes=0.5,
    ),
)
