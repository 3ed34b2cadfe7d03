"""The application that is updated under traffic: podinfo, well prepared for it or not, managed by Detour or not."""

import json
import time
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from tests.bench.traffic import INGRESS, Traffic
from tests.cluster.kubectl import Object, eventually, kubectl
from tests.cluster.shop import IMAGE, PROMETHEUS, Shop

TAGS = ("6.0.1", "6.0.2")


@dataclass
class Application(Shop):
    """One application in one namespace.

    `careful` adds a readiness probe and a preStop. `verdict` is what its Canary's only metric says to every revision,
    good (1) or bad (0), so that a revision can be rejected that does nothing wrong; without one there is no Canary.
    """

    careful: bool = True
    verdict: int | None = None

    def open(self) -> None:
        """Create everything, and wait until it answers and, if it has a Canary, is guarded by it."""
        kubectl("create", "namespace", self.namespace)
        guarded = (self.template(), self.canary()) if self.verdict is not None else ()
        self.apply(self.deployment(), self.service(), self.ingress(), *guarded)
        self("rollout", "status", "deployment/podinfo", "--timeout=90s")
        if guarded:
            self("wait", "canary/podinfo", "--for=condition=guarded", "--timeout=60s")
        eventually(self._answers, f"an answer from {self.host} at {INGRESS}", 30)

    def close(self) -> None:
        kubectl("delete", "namespace", self.namespace, "--wait=false", "--ignore-not-found")

    def traffic(self, rate: float, count: int) -> Traffic:
        """Users of this application."""
        return Traffic(self.host, self.namespace, rate, count)

    def deployment(self, tag: str = "6.0.0", **container: Any) -> Object:
        """podinfo sleeps three seconds when told to end, a preStop in disguise, unless its log level is debug."""
        plain: Object = {
            "command": ["./podinfo", "--port=9898", "--level=debug"],
            "env": [{"name": "PODINFO_UI_MESSAGE", "value": self.namespace}],
        }
        made = super().deployment(tag, **{**plain, **container})
        if not self.careful:
            [podinfo] = made["spec"]["template"]["spec"]["containers"]
            del podinfo["readinessProbe"], podinfo["lifecycle"]
        return made

    def template(self) -> Object:
        spec = {"provider": {"type": "prometheus", "address": PROMETHEUS}, "query": f"vector({self.verdict})"}
        return {**super().template(), "spec": spec}

    def canary(self) -> Object:
        made = super().canary()
        made["spec"]["analysis"]["metrics"] = [
            {"name": "verdict", "templateRef": {"name": "success-rate"}, "interval": "2s", "thresholdRange": {"min": 1}}
        ]
        return made

    def update(self, number: int) -> float:
        """Ask for update number `number`, which is like no other. Returns when, on the monotonic clock."""
        metadata = {"annotations": {"bench/update": str(number)}}
        containers = [{"name": "podinfo", "image": f"{IMAGE}:{TAGS[number % len(TAGS)]}"}]
        patch = {"spec": {"template": {"metadata": metadata, "spec": {"containers": containers}}}}
        at = time.monotonic()
        self("patch", "deployment", "podinfo", "--patch", json.dumps(patch))
        return at

    def _answers(self) -> bool:
        with closing(self.traffic(1, 1)) as probe:
            probe.start()
            return not probe.join()[0].failure
