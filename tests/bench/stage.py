"""The application of the scenario, under Detour or under Flagger: the same YAML but for its namespace and host."""

import json
from dataclasses import dataclass, field

from tests.bench.figure import SHORT
from tests.cluster.kubectl import Object, kubectl
from tests.cluster.shop import PROMETHEUS, SUCCESS_RATE, Shop

INTERVAL = 10  # seconds
STEP_WEIGHT = 5
MAX_WEIGHT = 10 if SHORT else 50
STEPS = MAX_WEIGHT // STEP_WEIGHT
DURATION = (
    'histogram_quantile(0.99, sum(rate(http_request_duration_seconds_bucket{namespace="{{ namespace }}",'
    'pod=~"{{ target }}-[^-]+-[^-]+$"}[{{ interval }}])) by (le)) * 1000'
)


@dataclass
class Stage:
    """One application in a namespace of its own, with a Canary as the diary has it."""

    namespace: str
    name = "podinfo"
    _shop: Shop = field(init=False)

    def __post_init__(self) -> None:
        metrics = [
            {**_metric("success-rate"), "thresholdRange": {"min": 99}},
            {**_metric("duration"), "thresholdRange": {"max": 500}},
        ]
        analysis = {
            "interval": f"{INTERVAL}s",
            "threshold": 3,
            "stepWeight": STEP_WEIGHT,
            "maxWeight": MAX_WEIGHT,
            "metrics": metrics,
        }
        spec = {
            "provider": "nginx",
            "ingressRef": {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": "podinfo"},
            "service": {"port": 9898, "portName": "http", "targetPort": 9898},
        }
        self._shop = Shop(self.namespace, analysis=analysis, spec=spec)

    @property
    def host(self) -> str:
        return self._shop.host

    @property
    def address(self) -> str:
        return "http://127.0.0.1:8080/version"

    def open(self) -> None:
        shop = self._shop
        items = [
            shop.deployment(),
            shop.ingress(),
            _template("success-rate", SUCCESS_RATE),
            _template("duration", DURATION),
            shop.canary(),
        ]
        manifest = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
        kubectl("-n", self.namespace, "apply", "-f", "-", stdin=manifest)
        kubectl("-n", self.namespace, "rollout", "status", "deployment/podinfo", "--timeout=90s")

    def update(self) -> None:
        self._shop.set_image("6.0.1")


def _metric(name: str) -> Object:
    return {"name": name, "interval": f"{INTERVAL}s", "templateRef": {"name": name}}


def _template(name: str, query: str) -> Object:
    return {
        "apiVersion": "flagger.app/v1beta1",
        "kind": "MetricTemplate",
        "metadata": {"name": name},
        "spec": {"provider": {"type": "prometheus", "address": PROMETHEUS}, "query": query},
    }
