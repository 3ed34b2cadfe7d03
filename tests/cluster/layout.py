"""Shops with other labels, selectors and Services than the usual ones, and who serves whom in them."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import Any

from tests.cluster.kubectl import KUBECONFIG, KUBECTL, Object
from tests.cluster.post import documents
from tests.cluster.shop import Shop
from webhook import stash

Labels = dict[str, str]
CANARYS = "podinfo-canary-"
"""How the names of the canary's pods begin."""


@dataclass
class Layout(Shop):
    """A shop whose pods bear `labels`. `selector` is the Deployment's (all labels, if it is not given), `served` what
    its Service selects (the same), `beside` what else there is."""

    labels: Labels = field(default_factory=lambda: {"app": "podinfo"})
    selector: Object | None = None
    served: Labels | None = None
    beside: tuple[Object, ...] = ()

    def open(self) -> None:
        super().open()
        if self.beside:
            self.apply(*self.beside)

    def deployment(self, tag: str = "6.0.0", **container: Any) -> Object:
        found = super().deployment(tag, **container)
        found["spec"]["template"]["metadata"]["labels"] = self.labels
        found["spec"]["selector"] = self.selector or {"matchLabels": self.labels}
        return found

    def service(self) -> Object:
        return service("podinfo", **(self.served or self.labels))

    @property
    def canarys(self) -> list[Object]:
        """The pods of the canary."""
        return list(self.get("pods", "-l", stash.CANARY_OF)["items"])


def service(name: str, /, **selector: str) -> Object:
    """A Service of podinfo; `headless` in its name makes it so."""
    ports = [{"name": "http", "port": 9898, "targetPort": "http"}]
    headless = {"clusterIP": "None"} if "headless" in name else {}
    spec = {"selector": selector, "ports": ports, **headless}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def governed_by(shop: Shop, pod: Object) -> str:
    """The Deployment whose ReplicaSet has taken a pod as its own."""
    (owner,) = pod["metadata"]["ownerReferences"]
    (above,) = shop.get("replicaset", owner["name"])["metadata"]["ownerReferences"]
    return str(above["name"])


@contextmanager
def endpoints(shop: Shop) -> Iterator[dict[str, set[str]]]:
    """By Service, every pod that was among its endpoints at any moment of the block; known after it."""
    served: dict[str, set[str]] = {}
    command = [str(KUBECTL), "--kubeconfig", str(KUBECONFIG), "-n", shop.namespace, "get", "endpointslices"]
    with TemporaryFile("w+") as output:
        watching = subprocess.Popen([*command, "--watch", "--output=json"], stdout=output)
        try:
            yield served
        finally:
            watching.terminate()
            watching.wait(10)
            output.seek(0)
            for each in documents(output.read()):
                pods = served.setdefault(each["metadata"]["labels"]["kubernetes.io/service-name"], set())
                pods |= {endpoint["targetRef"]["name"] for endpoint in each.get("endpoints") or ()}


def hostname_rule(selector: Object) -> Object:
    """Anti-affinity that allows one pod of these a node."""
    term = {"labelSelector": selector, "topologyKey": "kubernetes.io/hostname"}
    return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
