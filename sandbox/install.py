"""Installs Detour as it ships, by kustomize or by Helm: its image, its manifests; and waits until its pod is ready."""

from sandbox import build, cluster, command, detour_image, helm, workspace
from sandbox.cluster import Kubectl, NotYet, wait_until
from sandbox.errors import UserError
from sandbox.layout import CHECKOUT, STATE
from sandbox.progress import step

NAMESPACE = "detour"
DEADLINE = 90.0
INSTALLED = STATE / "detour-installed"
KUSTOMIZE, HELM = "kustomize", "helm"
# Whoever applied it before: the objects are the same.
TAKEN_OVER = ("--server-side=true", "--take-ownership", "--force-conflicts")


def install(kubectl: Kubectl, by: str = KUSTOMIZE) -> None:
    """Brings the cluster's Detour to the state of the checkout. Raises UserError with what its pods complain of."""
    image = detour_image.ensure()
    with step(f"installing Detour by {by}"):
        runs = kubectl("get", "deployments", f"--namespace={NAMESPACE}", "--output=name")
        if by == HELM:
            _release()
        else:
            kubectl("apply", f"--kustomize={CHECKOUT / 'manifests'}")
        if runs and not (INSTALLED.exists() and INSTALLED.read_text() == image):
            # The tag stays the same, so the Deployment does not see that the image is another.
            kubectl("rollout", "restart", "deployment", f"--namespace={NAMESPACE}")
        try:
            wait_until(lambda: cluster.deployments_are_available(kubectl, NAMESPACE), DEADLINE)
        except UserError as error:
            raise UserError(f"Detour does not become ready: {error}\n{_complaints(kubectl)}") from error
    INSTALLED.write_text(image)


def _release() -> None:
    """The chart, by the newest Helm."""
    program = f"helm{max(helm.VERSIONS)}"
    path = build.programs([part for part in helm.PARTS if program in part.programs])[program]
    place = (f"--namespace={NAMESPACE}", "--create-namespace", f"--kubeconfig={workspace.kubeconfig(CHECKOUT)}")
    chart = CHECKOUT / "manifests/charts/detour"
    command.run(str(path), "upgrade", "--install", "detour", str(chart), *place, *TAKEN_OVER, seconds=120)


def _complaints(kubectl: Kubectl) -> str:
    """Why the pods do not run, and the last lines of those that do."""
    lines = []
    try:
        for pod in kubectl.get("pods", f"--namespace={NAMESPACE}")["items"]:
            name = pod["metadata"]["name"]
            for container in pod["status"].get("containerStatuses", []):
                if reason := container["state"].get("waiting"):
                    lines.append(f"{name}, {container['name']}: {reason.get('reason')} {reason.get('message', '')}")
            lines.append(kubectl("logs", name, f"--namespace={NAMESPACE}", "--all-containers", "--prefix", "--tail=5"))
    except (UserError, NotYet) as error:
        lines.append(str(error))
    return "\n".join(lines)
