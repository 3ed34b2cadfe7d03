"""How the demo's requests come to the Ingress controller: by its published address, or else by a forwarded port."""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from analyzer.kube.client import Client
from analyzer.kube.errors import ApiError, Unreachable
from analyzer.kube.resources import INGRESSES, SERVICES
from detour.demo.kubectl import DemoError, Kubectl
from detour.demo.observation import NAMESPACE
from detour.demo.record import NAME
from detour.demo.traffic import Traffic
from detour.doctor import routers
from detour.doctor.snapshot import Snapshot

PATIENCE = 5.0  # seconds for a published address; most that answer at all answer at once
REMEDY = "name its address, as reached from here, with --ingress"
_FORWARDING = re.compile(r"Forwarding from (127\.0\.0\.1:\d+)")


@contextmanager
def entrance(client: Client, kubectl: Kubectl, seen: Snapshot) -> Iterator[str]:
    """The controller's URL, for as long as the block lasts. Raises DemoError."""
    for address in _published(client):
        url = f"http://{address}"
        if not (failure := Traffic(url).await_first(PATIENCE)):
            yield url
            return
        kubectl.say(f"no answer at the Ingress's published address {address} ({failure})")
    namespace, service, port = _service(client, seen)
    kubectl.say(f"requests go through kubectl -n {namespace} port-forward service/{service} :{port}")
    with _forwarded(kubectl, namespace, service, port) as url:
        yield url


def _published(client: Client) -> list[str]:
    status = client.get(INGRESSES, NAMESPACE, NAME).get("status") or {}
    entries = (status.get("loadBalancer") or {}).get("ingress") or ()
    return [str(address) for entry in entries if (address := entry.get("ip") or entry.get("hostname"))]


def _service(client: Client, seen: Snapshot) -> tuple[str, str, int]:
    """Namespace and name of a Service in front of a controller that splits, and its port for plain HTTP."""
    for controller in routers.controllers(seen):
        metadata = controller.workload["metadata"]
        labels = controller.workload["spec"]["template"]["metadata"].get("labels") or {}
        try:
            services = client.list(SERVICES, metadata["namespace"]).get("items") or ()
        except (ApiError, Unreachable) as error:
            raise DemoError(f"the Ingress controller's Service cannot be looked for: {error}; {REMEDY}") from error
        for found in services:
            selector = found["spec"].get("selector")
            port = _plain(found["spec"])
            if not controller.lacks and selector and selector.items() <= labels.items() and port:
                return metadata["namespace"], found["metadata"]["name"], port
    raise DemoError(f"no Service of an Ingress controller is found; {REMEDY}")


def _plain(spec: Mapping[str, Any]) -> int | None:
    ports = spec.get("ports") or ()
    return next((port["port"] for port in ports if port["port"] == 80 or port.get("name") in ("http", "web")), None)


@contextmanager
def _forwarded(kubectl: Kubectl, namespace: str, service: str, port: int) -> Iterator[str]:
    command = [kubectl.path, "-n", namespace, "port-forward", f"service/{service}", f":{port}"]
    environment = os.environ | {"KUBECONFIG": kubectl.kubeconfig}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not (found := _FORWARDING.search(line)):
                raise DemoError(f"{' '.join(command[1:])}: {line.strip() or 'it ended without a word'}; {REMEDY}")
            yield f"http://{found[1]}"
        finally:
            process.terminate()
