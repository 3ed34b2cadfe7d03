"""Installs Detour as it ships: its image, its manifests, and waiting until its pod is ready."""

from sandbox import cluster, detour_image
from sandbox.cluster import Kubectl, NotYet, wait_until
from sandbox.errors import UserError
from sandbox.layout import CHECKOUT, STATE
from sandbox.progress import step

NAMESPACE = "detour"
DEADLINE = 90.0
INSTALLED = STATE / "detour-installed"


def install(kubectl: Kubectl) -> None:
    """Brings the cluster's Detour to the state of the checkout. Raises UserError with what its pods complain of."""
    image = detour_image.ensure()
    with step("installing Detour"):
        runs = kubectl("get", "deployments", f"--namespace={NAMESPACE}", "--output=name")
        kubectl("apply", f"--kustomize={CHECKOUT / 'manifests'}")
        if runs and not (INSTALLED.exists() and INSTALLED.read_text() == image):
            # The tag stays the same, so the Deployment does not see that the image is another.
            kubectl("rollout", "restart", "deployment", f"--namespace={NAMESPACE}")
        try:
            wait_until(lambda: cluster.deployments_are_available(kubectl, NAMESPACE), DEADLINE)
        except UserError as error:
            raise UserError(f"Detour does not become ready: {error}\n{_complaints(kubectl)}") from error
    INSTALLED.write_text(image)


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
