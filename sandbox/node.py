"""The programs that make up the node, and how each is started."""

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from sandbox import node_files, pki
from sandbox.errors import UserError
from sandbox.layout import AUDIT_LOG, CHECKOUT, NAME, NAME_VARIABLE, NODE, NODE_ADDRESS, SERVICE_RANGE, STATE
from sandbox.supervisor import Component

# Nothing of the caller's environment: a proxy set there would be asked for the cluster's own addresses.
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NAME_VARIABLE: NAME}
ETCD = "http://127.0.0.1:2379"


def components(binaries: Mapping[str, Path]) -> list[Component]:
    """The components of the node, to be started in any order: each waits for what it needs, or is started again."""
    commands: dict[str, list[str | Path]] = {
        "etcd": [binaries["etcd"], *_etcd()],
        "kube-apiserver": [binaries["kube-apiserver"], *_api_server()],
        "kube-controller-manager": [binaries["kube-controller-manager"], *_controller_manager()],
        "kube-scheduler": [binaries["kube-scheduler"], *_scheduler()],
        "containerd": [debian("containerd"), f"--config={node_files.CONTAINERD}"],
        "kubelet": [binaries["kubelet"], *_kubelet()],
        "kube-proxy": [binaries["kube-proxy"], f"--config={node_files.PROXY}"],
    }
    return [Component(name, tuple(map(str, command)), ENVIRONMENT) for name, command in commands.items()]


def forwarder(forwarded: Mapping[int, str]) -> Component:
    """What publishes the sandbox: the descriptor of a listening socket → where its connections lead."""
    forwards = [f"{descriptor}={target}" for descriptor, target in forwarded.items()]
    command = (sys.executable, "-m", "sandbox.forward", *forwards)
    return Component("forwarder", command, {**ENVIRONMENT, "PYTHONPATH": str(CHECKOUT)}, tuple(forwarded))


def debian(program: str) -> str:
    """Where a program of a Debian package is. Raises UserError when it is not installed."""
    path = shutil.which(program, path=ENVIRONMENT["PATH"])
    if path is None:
        raise UserError(f"'{program}' is not installed: run 'apt-get install {program}' as root and try again")
    return path


def _etcd() -> list[str | Path]:
    return [
        f"--data-dir={STATE}/etcd",
        f"--listen-client-urls={ETCD}",
        f"--advertise-client-urls={ETCD}",
        "--listen-peer-urls=http://127.0.0.1:2380",
        "--unsafe-no-fsync",  # the sandbox starts from nothing after a power cut anyway
    ]


def _api_server() -> list[str | Path]:
    return [
        f"--etcd-servers={ETCD}",
        f"--advertise-address={NODE_ADDRESS}",
        "--secure-port=6443",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        f"--token-auth-file={node_files.TOKENS}",
        f"--client-ca-file={pki.AUTHORITY.certificate}",
        f"--tls-cert-file={pki.API_SERVER.certificate}",
        f"--tls-private-key-file={pki.API_SERVER.key}",
        f"--kubelet-client-certificate={pki.API_SERVER_AS_CLIENT.certificate}",
        f"--kubelet-client-key={pki.API_SERVER_AS_CLIENT.key}",
        # Names cannot be looked up in here; the node's address is known.
        "--kubelet-preferred-address-types=InternalIP",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={pki.SERVICE_ACCOUNT_PUBLIC_KEY}",
        f"--service-account-signing-key-file={pki.SERVICE_ACCOUNT_KEY}",
        f"--proxy-client-cert-file={pki.FRONT_PROXY.certificate}",
        f"--proxy-client-key-file={pki.FRONT_PROXY.key}",
        f"--requestheader-client-ca-file={pki.AUTHORITY.certificate}",
        f"--requestheader-allowed-names={pki.FRONT_PROXY_NAME}",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--audit-policy-file={node_files.AUDIT_POLICY}",
        f"--audit-log-path={AUDIT_LOG}",
        "--audit-log-maxsize=500",
        "--audit-log-maxbackup=2",
        "--allow-privileged",
    ]


def _controller_manager() -> list[str | Path]:
    return [
        f"--kubeconfig={node_files.kubeconfig('kube-controller-manager')}",
        "--bind-address=127.0.0.1",
        "--leader-elect=false",  # there is one; after a restart it need not wait for its own lease
        "--use-service-account-credentials",
        f"--service-account-private-key-file={pki.SERVICE_ACCOUNT_KEY}",
        f"--root-ca-file={pki.AUTHORITY.certificate}",
        f"--cluster-signing-cert-file={pki.AUTHORITY.certificate}",
        f"--cluster-signing-key-file={pki.AUTHORITY.key}",
    ]


def _scheduler() -> list[str | Path]:
    kubeconfig = node_files.kubeconfig("kube-scheduler")
    return [f"--kubeconfig={kubeconfig}", "--bind-address=127.0.0.1", "--leader-elect=false"]


def _kubelet() -> list[str | Path]:
    return [
        f"--config={node_files.KUBELET}",
        f"--kubeconfig={node_files.kubeconfig('kubelet')}",
        f"--root-dir={STATE}/kubelet",
        f"--cert-dir={STATE}/kubelet/pki",
        f"--hostname-override={NODE}",
        f"--node-ip={NODE_ADDRESS}",
    ]
