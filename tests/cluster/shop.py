"""A namespace with an application as a user would have it: podinfo behind a Service and an Ingress, and a Canary."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from analyzer.memory import unpacked
from tests.cluster import namespaces
from tests.cluster.deployed import Deployed
from tests.cluster.kubectl import Object, Said, eventually, exists, kubectl
from webhook import stash

IMAGE = "ghcr.io/stefanprodan/podinfo"
PROMETHEUS = "http://prometheus.monitoring:9090"
SUCCESS_RATE = (
    'sum(rate(http_request_duration_seconds_count{namespace="{{ namespace }}",pod=~"{{ target }}-[^-]+-[^-]+$",'
    'status!~"5.."}[{{ interval }}])) / sum(rate(http_request_duration_seconds_count{namespace="{{ namespace }}",'
    'pod=~"{{ target }}-[^-]+-[^-]+$"}[{{ interval }}])) * 100'
)
CALM: Object = {"interval": "30s", "metrics": []}
"""An analysis that judges nothing, and takes its time."""
QUICK: Object = {"interval": "1s", "metrics": []}
"""An analysis that judges nothing, and is over within seconds."""


@dataclass
class Shop(Deployed):
    """One application in one namespace. `host` is what its Ingress answers to.

    Under a `policy` the namespace bears its label, and there is no Canary but what comes of it.
    """

    namespace: str
    replicas: int = 2
    analysis: Object = field(default_factory=dict)
    spec: Object = field(default_factory=dict)
    pod: Object = field(default_factory=dict)
    policy: str = ""

    name = "podinfo"

    @property
    def host(self) -> str:
        return f"{self.namespace}.example.com"

    def open(self) -> None:
        """Create everything, and wait until the next update is certain to be diverted."""
        namespaces.create(self.namespace)
        self.apply(self.deployment(), self.service(), self.ingress())
        if not self.policy:
            self.apply(self.template(), self.canary())
        self("rollout", "status", "deployment/podinfo", "--timeout=60s")
        if self.policy:
            kubectl("label", "namespace", self.namespace, f"{stash.POLICY}={self.policy}")
        else:
            self("wait", "canary/podinfo", "--for=condition=guarded", "--timeout=60s")

    def apply(self, *objects: Object, arguments: tuple[str, ...] = ()) -> Said:
        manifest = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
        return self("apply", *arguments, "-f", "-", stdin=manifest)

    def set_image(self, tag: str) -> Said:
        """What the user types."""
        return self("set", "image", "deployment/podinfo", f"podinfo={IMAGE}:{tag}")

    def deployment(self, tag: str = "6.0.0", **container: Any) -> Object:
        probe = {"httpGet": {"path": "/readyz", "port": "http"}, "periodSeconds": 1}
        podinfo = {
            "name": "podinfo",
            "image": f"{IMAGE}:{tag}",
            "imagePullPolicy": "IfNotPresent",
            "command": ["./podinfo", "--port=9898", "--level=info"],
            "ports": [{"name": "http", "containerPort": 9898}],
            "readinessProbe": probe,
            "lifecycle": {"preStop": {"sleep": {"seconds": 3}}},
            **container,
        }
        template = {
            "metadata": {"labels": {"app": "podinfo"}},
            "spec": {"containers": [podinfo], "terminationGracePeriodSeconds": 10, **self.pod},
        }
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "podinfo", "labels": {"app": "podinfo"}},
            "spec": {
                "replicas": self.replicas,
                "selector": {"matchLabels": {"app": "podinfo"}},
                "strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
                "template": template,
            },
        }

    def service(self) -> Object:
        ports = [{"name": "http", "port": 9898, "targetPort": "http"}]
        spec = {"selector": {"app": "podinfo"}, "ports": ports}
        return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "podinfo"}, "spec": spec}

    def ingress(self) -> Object:
        backend = {"service": {"name": "podinfo", "port": {"number": 9898}}}
        paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
        spec = {"rules": [{"host": self.host, "http": {"paths": paths}}]}
        return {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {"name": "podinfo"},
            "spec": spec,
        }

    def template(self) -> Object:
        return {
            "apiVersion": "flagger.app/v1beta1",
            "kind": "MetricTemplate",
            "metadata": {"name": "success-rate"},
            "spec": {"provider": {"type": "prometheus", "address": PROMETHEUS}, "query": SUCCESS_RATE},
        }

    def canary(self) -> Object:
        metric = {"name": "success-rate", "templateRef": {"name": "success-rate"}, "interval": "4s"}
        steps = {"interval": "4s", "threshold": 2, "stepWeight": 25, "maxWeight": 50}
        metrics = [{**metric, "thresholdRange": {"min": 99}}]
        return {
            "apiVersion": "flagger.app/v1beta1",
            "kind": "Canary",
            "metadata": {"name": "podinfo"},
            "spec": {
                "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo"},
                "progressDeadlineSeconds": 60,
                "analysis": {**steps, "metrics": metrics, **self.analysis},
                **self.spec,
            },
        }

    @property
    def live_image(self) -> str:
        """The tag that the primary runs."""
        return tag_of(self.live)

    @property
    def status(self) -> Object:
        """The Canary's; empty until there is one, which under a policy is soon after the first update."""
        found = self.get("canaries", "--field-selector", "metadata.name=podinfo")["items"]
        return dict(unpacked(found[0].get("status") or {})) if found else {}

    @property
    def phase(self) -> str:
        return str(self.status.get("phase", ""))

    @property
    def message(self) -> str:
        """Of the condition that users wait for; empty until there is one."""
        found = [one for one in self.status.get("conditions", ()) if one["type"] == "Promoted"]
        return str(found[0]["message"]) if found else ""

    def specify(self, **spec: object) -> None:
        """The Canary with other fields in its spec; None takes one away."""
        self("patch", "canary/podinfo", "--type=merge", "-p", json.dumps({"spec": spec}))

    def exists(self, kind: str, name: str) -> bool:
        return exists("-n", self.namespace, kind, name)

    def events(self, kind: str = "Canary") -> list[str]:
        """The texts of the events about the Canary, or about the user's Deployment."""
        found = self.get("events", "--field-selector", f"involvedObject.kind={kind}")["items"]
        return [event["message"] for event in found if event.get("source", {}).get("component") == "detour"]

    def says(self, text: str, seconds: float = 60) -> None:
        """Wait until the Canary's message has `text` in it."""
        eventually(lambda: text in self.message, text, seconds, lambda: self.status)

    def tells(self, text: str, kind: str = "Deployment") -> None:
        """Wait for an event with `text` in it: the status is stored before what it leads to is told."""
        eventually(lambda: any(text in told for told in self.events(kind)), text, 10, lambda: self.events(kind))

    def until(self, phase: str, seconds: float = 90) -> None:
        """Wait for a phase."""
        eventually(lambda: self.phase == phase, f"phase {phase}", seconds, lambda: self.status)

    def until_weight(self, weight: int, seconds: float = 60) -> None:
        """Wait until the canary has at least this weight."""
        eventually(
            lambda: self.status.get("canaryWeight", 0) >= weight, f"weight {weight}", seconds, lambda: self.status
        )

    def until_gone(self, seconds: float = 60) -> None:
        """Wait until nothing of the canary is left."""
        eventually(lambda: not self.leftovers(), "nothing is left", seconds, self.leftovers)

    def leftovers(self) -> list[str]:
        found = self.get("deployments,services,ingresses", "-l", stash.CANARY_OF)["items"]
        return [f"{one['kind']} {one['metadata']['name']}" for one in found]


def tag_of(template: Object | None) -> str:
    """The tag of the first container's image."""
    return str(template["spec"]["containers"][0]["image"]).rpartition(":")[2] if template else ""


AnyShop = TypeVar("AnyShop", bound=Shop)


@contextmanager
def opened(shop: AnyShop) -> Iterator[AnyShop]:
    """The shop, opened; its namespace goes at the end, even if it does not come so far."""
    try:
        shop.open()
        yield shop
    finally:
        namespaces.delete(shop.namespace)


OpenShop = Callable[..., Shop]
"""Makes a shop with the options of `Shop`, and opens it."""
