"""The configuration files of the node's parts. JSON wherever YAML is read, so that no library is needed to write it."""

import base64
import json
import secrets
from pathlib import Path
from typing import Any

from sandbox import pki
from sandbox.images import PAUSE
from sandbox.layout import CONTAINERD_SOCKET, DNS_ADDRESS, NAME, NODE, NODE_ADDRESS, POD_RANGE, STATE

DIRECTORY = STATE / "config"
CONTAINERD = DIRECTORY / "containerd.toml"
KUBELET = DIRECTORY / "kubelet.json"
PROXY = DIRECTORY / "kube-proxy.json"
AUDIT_POLICY = DIRECTORY / "audit-policy.json"
TOKENS = DIRECTORY / "tokens.csv"
CNI = DIRECTORY / "cni"
# Debian's and Ubuntu's package containernetworking-plugins.
CNI_PLUGINS = "/usr/lib/cni"

# Who may call the API server: kubeconfig → user and groups that the built-in RBAC roles are bound to.
IDENTITIES = {
    "admin": ("kubernetes-admin", "system:masters"),
    "kube-controller-manager": ("system:kube-controller-manager", ""),
    "kube-scheduler": ("system:kube-scheduler", ""),
    "kube-proxy": ("system:kube-proxy", ""),
    "kubelet": (f"system:node:{NODE}", "system:nodes"),
}


def kubeconfig(identity: str) -> Path:
    """The credentials of one of IDENTITIES, for use inside the sandbox."""
    return DIRECTORY / f"{identity}.kubeconfig"


def write() -> None:
    """Writes all files, with new tokens. The certificates must be there."""
    tokens = {identity: secrets.token_urlsafe(24) for identity in IDENTITIES}
    for path, text in settings().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    TOKENS.touch(mode=0o600)
    TOKENS.write_text("".join(f'{tokens[i]},{user},{user},"{groups}"\n' for i, (user, groups) in IDENTITIES.items()))
    for identity, token in tokens.items():
        path = kubeconfig(identity)
        path.touch(mode=0o600)
        path.write_text(credentials(token, f"https://{NODE_ADDRESS}:6443"))


def credentials(token: str, server: str) -> str:
    """A kubeconfig that calls the API server at this address with this token."""
    authority = base64.b64encode(pki.AUTHORITY.certificate.read_bytes()).decode()
    return _json(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": NAME, "cluster": {"server": server, "certificate-authority-data": authority}}],
            "users": [{"name": NAME, "user": {"token": token}}],
            "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME}}],
            "current-context": NAME,
        }
    )


def settings() -> dict[Path, str]:
    """Every file that holds no secret: path → text. Pure, so that a changed setting can be told from a running one."""
    return {
        CONTAINERD: _containerd(),
        KUBELET: _json(_kubelet()),
        PROXY: _json(_proxy()),
        CNI / f"{NAME}.conflist": _json(_cni()),
        AUDIT_POLICY: _json(
            {
                "apiVersion": "audit.k8s.io/v1",
                "kind": "Policy",
                "omitStages": ["RequestReceived"],
                "rules": [{"level": "Metadata"}],
            }
        ),
    }


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2)


def _containerd() -> str:
    return f"""version = 2
root = "{STATE}/containerd/root"
state = "{STATE}/containerd/state"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
  address = "{CONTAINERD_SOCKET}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  disable_apparmor = true # its profile would be loaded into the host's kernel
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{CNI_PLUGINS}"
    conf_dir = "{CNI}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
"""


def _cni() -> dict[str, Any]:
    # A point-to-point link for each pod, not a bridge: pods reach each other by routing, where the rules of Services
    # apply without br_netfilter, a kernel module that would change the host's bridges too.
    ipam = {
        "type": "host-local",
        "ranges": [[{"subnet": POD_RANGE}]],
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": f"{STATE}/addresses",
    }
    return {"cniVersion": "0.4.0", "name": NAME, "plugins": [{"type": "ptp", "ipam": ipam}]}


def _kubelet() -> dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(pki.AUTHORITY.certificate)},
        },
        "authorization": {"mode": "Webhook"},
        "address": NODE_ADDRESS,
        "clusterDNS": [DNS_ADDRESS],
        "clusterDomain": "cluster.local",
        "resolvConf": "",
        "featureGates": {"KubeletCrashLoopBackOffMax": True},
        "crashLoopBackOff": {"maxContainerRestartPeriod": "1s"},
        "maxPods": 250,
        "podLogsDir": f"{STATE}/pod-logs",
        "volumePluginDir": f"{STATE}/kubelet/volume-plugins",
        # Images come from no registry: one that is collected could not be pulled again.
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {},
        "localStorageCapacityIsolation": False,
        # Both generations of cgroups, and no systemd, must do.
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{NAME}",
        "cgroupsPerQOS": True,
        "enforceNodeAllocatable": ["none"],
        "failCgroupV1": False,
        "failSwapOn": False,
        "makeIPTablesUtilChains": False,
    }


def _proxy() -> dict[str, Any]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(kubeconfig("kube-proxy"))},
        "mode": "nftables",
        "clusterCIDR": POD_RANGE,
        "hostnameOverride": NODE,
        # The connection table's limits belong to the whole machine and stay as they are.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }
