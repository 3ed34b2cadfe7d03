"""`python -m sandbox up`: brings the sandbox up, whether it is absent, broken, out of date or another checkout's."""

import functools
import shutil
from collections.abc import Mapping
from pathlib import Path

from sandbox import boot, build, cache, cluster, down, images, install, packages, preflight, record, workspace
from sandbox.cluster import Kubectl, wait_for, wait_until
from sandbox.errors import UserError
from sandbox.layout import CHECKOUT, LOGS, Ports
from sandbox.progress import say, step

ADDON_NAMESPACES = ("kube-system", "ingress", "monitoring")


def up(*, bare: bool, by: str = install.KUSTOMIZE) -> None:
    """Everything up and ready; with `bare` without Detour, else with it, installed `by` either. Raises UserError."""
    preflight.check_host()
    with record.exclusively():
        ports = Ports.from_environment()
        packages.install(cache.root() / "logs" / "apt.log")
        binaries, archives = build.ensure(), images.ensure()
        kubectl = Kubectl(binaries, workspace.kubeconfig(CHECKOUT))
        if not _is_current(binaries, ports) or not _is_healthy(kubectl, binaries, ports):
            _start(kubectl, binaries, ports)
        _furnish(kubectl, archives, ports)
        if not bare:
            install.install(kubectl, by)
    say(f"the sandbox is up: export KUBECONFIG={workspace.kubeconfig(CHECKOUT)}")


def _is_current(binaries: Mapping[str, Path], ports: Ports) -> bool:
    """Whether a node runs, and it is the one that would be started now."""
    running = record.read()
    if running is None or not boot.is_supervised():
        return False
    if running.checkout != CHECKOUT:
        say(f"the sandbox belongs to {running.checkout}: it is taken down, and started anew for {CHECKOUT}")
        return False
    if running.fingerprint != boot.fingerprint(binaries, ports):
        say("the sandbox was started with other settings or programs: it is started anew")
        return False
    return True


def _is_healthy(kubectl: Kubectl, binaries: Mapping[str, Path], ports: Ports) -> bool:
    """Whether the running node serves. A component that is being started again is given the time."""
    workspace.write(CHECKOUT, binaries, ports)
    try:
        wait_for("containerd", cluster.containerd_answers, 30)
        wait_for("the API server", lambda: cluster.api_answers(kubectl), 30)
        wait_for("the node", lambda: cluster.node_is_ready(kubectl), 60)
    except UserError as error:
        say(f"the sandbox is broken and is started anew: {error}")
        return False
    return True


def _start(kubectl: Kubectl, binaries: Mapping[str, Path], ports: Ports) -> None:
    down.take_down()
    shutil.rmtree(LOGS, ignore_errors=True)
    with step("starting Kubernetes"):
        boot.start(binaries, ports)
        workspace.write(CHECKOUT, binaries, ports)
        wait_until(cluster.containerd_answers, 30)
        wait_until(lambda: cluster.api_answers(kubectl), 90)
        wait_until(lambda: cluster.node_is_ready(kubectl), 60)


def _furnish(kubectl: Kubectl, archives: list[Path], ports: Ports) -> None:
    """What every application needs. Idempotent, and quick when there is nothing to do."""
    cluster.import_images(archives)
    cluster.apply_addons(kubectl)
    available = functools.partial(cluster.deployments_are_available, kubectl, *ADDON_NAMESPACES)
    wait_for("DNS, the Ingress controller and Prometheus", available, 120)
    wait_for("the published ports", lambda: cluster.is_published(ports), 60)
