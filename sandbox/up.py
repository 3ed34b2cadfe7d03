"""`python -m sandbox up`: brings the sandbox up, whether it is absent, broken, out of date or another checkout's."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from sandbox import boot, build, cache, cluster, down, images, install, packages, preflight, record, workspace
from sandbox.cluster import Kubectl, wait_until
from sandbox.errors import UserError
from sandbox.layout import CHECKOUT, LOGS, Ports
from sandbox.progress import say, step

ADDON_NAMESPACES = ("kube-system", "ingress", "monitoring")


def up(*, bare: bool) -> None:
    """Everything up and ready; with `bare` without Detour. Raises UserError."""
    with record.exclusively():
        wanted = Ports.from_environment()
        preflight.check_host()
        packages.install(cache.root() / "logs" / "apt.log")
        binaries, archives = build.ensure(), images.ensure()
        if not _runs(binaries, wanted):
            _start(binaries, wanted)
        kubectl = Kubectl(binaries, workspace.kubeconfig(CHECKOUT))
        _furnish(kubectl, archives)
        if not bare:
            install.install(kubectl)
    say(f"the sandbox is up: export KUBECONFIG={workspace.kubeconfig(CHECKOUT)}")


def _runs(binaries: Mapping[str, Path], wanted: Ports) -> bool:
    """Whether the node that is wanted runs already. One that heals itself meanwhile is given the time."""
    running = record.read()
    if running is None or not boot.is_supervised():
        return False
    if running.checkout != CHECKOUT:
        say(f"the sandbox belongs to {running.checkout}; it is taken down and started anew for {CHECKOUT}")
        return False
    if running.fingerprint != boot.fingerprint(binaries, wanted):
        say("the sandbox was started with other settings or programs; it is started anew")
        return False
    try:
        wait_until(lambda: cluster.api_answers(Kubectl(binaries, workspace.kubeconfig(CHECKOUT))), 30)
    except UserError as error:
        say(f"the sandbox is broken and is started anew: {error}")
        return False
    return True


def _start(binaries: Mapping[str, Path], wanted: Ports) -> None:
    down.take_down()
    shutil.rmtree(LOGS, ignore_errors=True)
    with step("starting Kubernetes"):
        boot.start(binaries, wanted)
        workspace.write(CHECKOUT, binaries, wanted)
        wait_until(cluster.containerd_answers, 30)


def _furnish(kubectl: Kubectl, archives: list[Path]) -> None:
    """Idempotent; quick when there is nothing to do."""
    with step("importing the images"):
        cluster.import_images(archives)
    with step("waiting for Kubernetes"):
        wait_until(lambda: cluster.api_answers(kubectl), 90)
        wait_until(lambda: cluster.node_is_ready(kubectl), 60)
    with step("waiting for DNS, Ingress and Prometheus"):
        cluster.apply_addons(kubectl)
        wait_until(lambda: cluster.deployments_are_available(kubectl, *ADDON_NAMESPACES), 120)
