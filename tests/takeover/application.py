"""An application as users of Flagger have it: podinfo and its ConfigMap, a Service, an Ingress, and a Canary."""

import json
from dataclasses import dataclass, field

from tests.bench.traffic import Traffic
from tests.cluster.kubectl import Object, Said, eventually, exists, get, kubectl
from tests.cluster.shop import IMAGE, PROMETHEUS, tag_of

INTERVAL = 10  # seconds, Flagger's shortest
NGINX: Object = {"interval": f"{INTERVAL}s", "threshold": 1, "stepWeight": 50, "maxWeight": 50}
BLUE_GREEN: Object = {"interval": f"{INTERVAL}s", "threshold": 1, "iterations": 2}


@dataclass
class Application:
    """One of several in a namespace. `verdict` is what the Canary's metric says of every version: good (1), bad (0).

    `service` is whether its user has written its Service; else Flagger makes it. `autoscaled` by how many at least.
    """

    namespace: str
    name: str
    analysis: Object = field(default_factory=lambda: NGINX)
    spec: Object = field(default_factory=dict)
    service: bool = True
    autoscaled: int = 0
    replicas: int = 2

    @property
    def host(self) -> str:
        return f"{self.name}.{self.namespace}.example.com"

    def traffic(self, rate: float, seconds: float) -> Traffic:
        """Users, for that long at most."""
        return Traffic(self.host, self.name, rate, int(rate * seconds))

    def open(self, *, canary: bool = True) -> None:
        """Create everything; whether a controller takes its Canary up is another matter."""
        things = [self.config_map(), self.deployment(), self.ingress(), self.metric(1)]
        things += [self.its_service()] if self.service else []
        things += [self.autoscaler()] if self.autoscaled else []
        self.apply(*things)
        self("rollout", "status", f"deployment/{self.name}", "--timeout=120s")
        if canary:
            self.apply(self.canary())

    def apply(self, *things: Object) -> Said:
        manifest = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(things)})
        return self("apply", "-f", "-", stdin=manifest)

    def judge(self, verdict: int) -> None:
        """What its metric says from now on."""
        self.apply(self.metric(verdict))

    def update(self, tag: str) -> Said:
        """What the user types."""
        return self("set", "image", f"deployment/{self.name}", f"podinfo={IMAGE}:{tag}")

    def __call__(self, *arguments: str, stdin: str | None = None) -> Said:
        return kubectl("-n", self.namespace, *arguments, stdin=stdin)

    def get(self, kind: str, name: str = "") -> Object:
        return get("-n", self.namespace, kind, name or self.name)

    def exists(self, kind: str, name: str) -> bool:
        return exists("-n", self.namespace, kind, name)

    @property
    def tag(self) -> str:
        """What the user's Deployment runs."""
        return tag_of(self.get("deployment")["spec"]["template"])

    @property
    def phase(self) -> str:
        return str((self.get("canary").get("status") or {}).get("phase", ""))

    def until(self, phase: str, seconds: float = 180) -> None:
        """Wait for a phase of the Canary."""
        eventually(lambda: self.phase == phase, f"{self.name}: {phase}", seconds, lambda: self.get("canary")["status"])

    def left(self) -> list[str]:
        """What Flagger has made for it, and what bears its mark, but for the Service that users call."""
        kinds = "deployments,services,ingresses,configmaps,secrets,horizontalpodautoscalers,pods"
        found = [
            f"{each['kind']} {each['metadata']['name']}"
            for each in get("-n", self.namespace, kinds)["items"]
            if self._is_flaggers(each["metadata"])
        ]
        canary = self.get("canary")["metadata"]
        return found + [each for each in canary.get("finalizers") or () if "flagger" in each]

    def _is_flaggers(self, metadata: Object) -> bool:
        owned = any(o["kind"] == "Canary" and o["name"] == self.name for o in metadata.get("ownerReferences") or ())
        ours = metadata["name"].startswith(f"{self.name}-")
        marked = any("fluxcd.io" in key for key in metadata.get("annotations") or ())
        called = metadata["name"] == self.name
        return (ours and (owned or "-primary" in metadata["name"])) or (called and marked)

    def config_map(self) -> Object:
        metadata, data = {"name": f"{self.name}-settings"}, {"PODINFO_UI_MESSAGE": self.name}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}

    def deployment(self) -> Object:
        podinfo = {
            "name": "podinfo",
            "image": f"{IMAGE}:6.0.0",
            "imagePullPolicy": "IfNotPresent",
            "command": ["./podinfo", "--port=9898", "--level=debug"],
            "envFrom": [{"configMapRef": {"name": f"{self.name}-settings"}}],
            "ports": [{"name": "http", "containerPort": 9898}],
            "readinessProbe": {"httpGet": {"path": "/readyz", "port": "http"}, "periodSeconds": 1},
            "lifecycle": {"preStop": {"sleep": {"seconds": 3}}},
        }
        labels = {"app": self.name}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [podinfo]}}
        spec = {"replicas": self.replicas, "selector": {"matchLabels": labels}, "template": template}
        return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": self.name}, "spec": spec}

    def its_service(self) -> Object:
        ports = [{"name": "http", "port": 9898, "targetPort": "http"}]
        spec = {"selector": {"app": self.name}, "ports": ports}
        return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": self.name}, "spec": spec}

    def ingress(self) -> Object:
        backend = {"service": {"name": self.name, "port": {"number": 9898}}}
        paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
        return {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {"name": self.name},
            "spec": {"rules": [{"host": self.host, "http": {"paths": paths}}]},
        }

    def autoscaler(self) -> Object:
        reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": self.name}
        usage = {"type": "Utilization", "averageUtilization": 80}
        metrics = [{"type": "Resource", "resource": {"name": "cpu", "target": usage}}]
        spec = {"scaleTargetRef": reference, "minReplicas": self.autoscaled, "maxReplicas": 5, "metrics": metrics}
        metadata = {"name": self.name}
        return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": metadata, "spec": spec}

    def metric(self, verdict: int) -> Object:
        spec = {"provider": {"type": "prometheus", "address": PROMETHEUS}, "query": f"vector({verdict})"}
        metadata = {"name": f"{self.name}-verdict"}
        return {"apiVersion": "flagger.app/v1beta1", "kind": "MetricTemplate", "metadata": metadata, "spec": spec}

    def canary(self) -> Object:
        metric = {"name": "verdict", "templateRef": {"name": f"{self.name}-verdict"}, "interval": "10s"}
        scaler = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "name": self.name}
        spec = {
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": self.name},
            "ingressRef": {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": self.name},
            "service": {"port": 9898, "targetPort": "http"},
            "progressDeadlineSeconds": 60,
            "analysis": {**self.analysis, "metrics": [{**metric, "thresholdRange": {"min": 1}}]},
            **({"autoscalerRef": scaler} if self.autoscaled else {}),
            **self.spec,
        }
        return {
            "apiVersion": "flagger.app/v1beta1",
            "kind": "Canary",
            "metadata": {"name": self.name},
            "spec": spec,
        }
