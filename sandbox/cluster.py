"""What `up` does with a running node: images in, addons on, and waiting until all of it is ready."""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

from sandbox import build, command, images, node, node_files
from sandbox.errors import UserError
from sandbox.layout import CHECKOUT, CONTAINERD_SOCKET, LOGS, NODE, STATE, Ports
from sandbox.parts import PARTS
from sandbox.progress import step

ADDONS = CHECKOUT / "sandbox" / "addons"
IMPORTED = STATE / "imported-images.json"
GATEWAYS = "gateway.networking.k8s.io_gateways.yaml"


class NotYet(Exception):
    """What is waited for is not there yet; the text says what is missing."""


def wait_for(what: str, check: Callable[[], None], seconds: float) -> None:
    """As `wait_until`, with a line of progress when there is anything to wait for."""
    try:
        check()
    except NotYet:
        with step(f"waiting for {what}"):
            wait_until(check, seconds)


def wait_until(check: Callable[[], None], seconds: float, pause: float = 0.2) -> None:
    """Calls `check` until it no longer raises NotYet. Raises UserError with what was missing to the last."""
    end = time.monotonic() + seconds
    while True:
        try:
            return check()
        except NotYet as missing:
            if time.monotonic() > end:
                raise UserError(f"after {seconds:.0f} s still {missing}: the logs are in {LOGS}") from missing
        time.sleep(pause)


class Kubectl:
    """The cluster's administrator, seen from the host."""

    def __init__(self, binaries: Mapping[str, Path], kubeconfig: Path) -> None:
        self._command = [str(binaries["kubectl"]), f"--kubeconfig={kubeconfig}"]

    def __call__(self, *arguments: str, stdin: str | None = None, seconds: float = 60) -> str:
        """What kubectl printed. Raises UserError with what it complained of."""
        return command.run(*self._command, *arguments, stdin=stdin, seconds=seconds)

    def get(self, *arguments: str) -> Any:
        """The parsed answer of `kubectl get`. Raises NotYet while there is none."""
        try:
            return json.loads(self("get", *arguments, "--output=json"))
        except UserError as error:
            raise NotYet(str(error)) from error


def api_answers(kubectl: Kubectl) -> None:
    """Raises NotYet until the API server calls itself ready."""
    try:
        kubectl("get", "--raw=/readyz", "--request-timeout=5s")
    except UserError as error:
        raise NotYet(f"the API server is not ready ({error})") from error


def node_is_ready(kubectl: Kubectl) -> None:
    """Raises NotYet until the kubelet reports the node ready."""
    conditions = kubectl.get("node", NODE)["status"].get("conditions", [])
    if not any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions):
        raise NotYet("the node is not ready")


def is_published(ports: Ports) -> None:
    """Raises NotYet until the Ingress controller and Prometheus answer on the host's loopback."""
    # A proxy of the environment has nothing to do with the loopback.
    opener = build_opener(ProxyHandler({}))
    for port, path in ((ports.http, "/"), (ports.prometheus, "/-/ready")):
        address = f"http://127.0.0.1:{port}{path}"
        try:
            opener.open(address, timeout=5).close()
        except HTTPError as answer:
            answer.close()  # no Ingress is there yet, and the controller says so
        except OSError as error:
            raise NotYet(f"{address} does not answer ({error})") from error


def deployments_are_available(kubectl: Kubectl, *namespaces: str) -> None:
    """Raises NotYet until every Deployment of these namespaces runs what it should, completely."""
    for namespace in namespaces:
        deployments = kubectl.get("deployments", f"--namespace={namespace}")["items"]
        if not deployments:
            raise NotYet(f"no Deployment in namespace {namespace}")
        for deployment in deployments:
            if not _is_complete(deployment):
                raise NotYet(f"Deployment {namespace}/{deployment['metadata']['name']} is not available")


def _is_complete(deployment: dict[str, Any]) -> bool:
    wanted, status = deployment["spec"]["replicas"], deployment["status"]
    observed = status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    numbers = (status.get("replicas", 0), status.get("updatedReplicas", 0), status.get("availableReplicas", 0))
    return observed and numbers == (wanted, wanted, wanted)


def import_images(archives: Iterable[Path]) -> None:
    """Puts the archives' images where the kubelet finds them, but for those that are there already."""
    stamps = {str(archive): f"{archive.stat().st_size} {archive.stat().st_mtime_ns}" for archive in archives}
    imported = _imported()
    missing = {archive: stamp for archive, stamp in stamps.items() if imported.get(archive) != stamp}
    if missing:
        with step("importing the images"):
            for archive in missing:
                import_image(Path(archive))
            IMPORTED.write_text(json.dumps(imported | missing))


def _imported() -> dict[str, str]:
    """Archive → the size and time it had; nothing after a write that was cut off, and all are put in again."""
    try:
        known: dict[str, str] = json.loads(IMPORTED.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return known


def import_image(archive: Path) -> None:
    """Puts an archive's images where the kubelet finds them."""
    _ctr("images", "import", str(archive))


def containerd_answers() -> None:
    """Raises NotYet until containerd serves."""
    try:
        _ctr("version")
    except UserError as error:
        raise NotYet(f"containerd does not answer ({error})") from error


def _ctr(*arguments: str) -> None:
    command.run(node.debian("ctr"), f"--address={CONTAINERD_SOCKET}", "--namespace=k8s.io", *arguments, seconds=300)


def addons() -> str:
    """The manifests of cluster DNS, the Ingress controller and Prometheus, with the versions of their images."""
    manifests = "---\n".join(path.read_text() for path in sorted(ADDONS.glob("*.yaml")))
    for image in (images.COREDNS, images.TRAEFIK, images.PROMETHEUS, images.METRICS_SERVER):
        manifests = manifests.replace(f"image: {image.rpartition(':')[0]}\n", f"image: {image}\n")
    return manifests


def apply_addons(kubectl: Kubectl) -> None:
    """The kinds of the Gateway API first: an object of a kind cannot be applied together with its definition."""
    apply = ("apply", "--server-side", "--force-conflicts")
    kubectl(*apply, f"--filename={gateway_api()}")
    kubectl("wait", "--for=condition=established", f"--filename={gateway_api() / GATEWAYS}", "--timeout=30s")
    kubectl(*apply, "--filename=-", stdin=addons())


def gateway_api() -> Path:
    """The directory of the definitions of its standard channel."""
    (part,) = (part for part in PARTS if part.name == "gateway-api")
    return build.entry(part) / part.assets["sigs.k8s.io/gateway-api"]


def admin_kubeconfig(port: int) -> str:
    """The administrator's credentials for use on the host, through the published port."""
    inside = json.loads(node_files.kubeconfig("admin").read_text())
    return node_files.credentials(inside["users"][0]["user"]["token"], f"https://127.0.0.1:{port}")
