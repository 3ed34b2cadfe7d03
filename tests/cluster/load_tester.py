"""The load tester, as its manifests have it, in any namespace; and what a webhook of a Canary asks of it."""

import json
from dataclasses import dataclass
from typing import Any

from tests.cluster.kubectl import ROOT, Object, Said, kubectl

MANIFESTS = ROOT / "manifests/loadtester"
NAME, GATES = "flagger-loadtester", "flagger-loadtester-gates"
USUAL = "namespace: test"


@dataclass(frozen=True, slots=True)
class LoadTester:
    """One load tester in one namespace."""

    namespace: str

    def install(self) -> None:
        """Apply its manifests, and wait until it answers."""
        manifest = kubectl("kustomize", str(MANIFESTS)).out.replace(USUAL, f"namespace: {self.namespace}")
        kubectl("apply", "-f", "-", stdin=manifest)
        self.ready()

    def ready(self) -> None:
        kubectl("-n", self.namespace, "rollout", "status", f"deployment/{NAME}", "--timeout=90s")

    def restart(self) -> None:
        """Another pod in the place of the one that runs."""
        kubectl("-n", self.namespace, "rollout", "restart", f"deployment/{NAME}")
        self.ready()

    def hook(self, name: str, kind: str, path: str = "/", timeout: str = "10s", **metadata: str) -> Object:
        """A webhook of an analysis that asks it."""
        hook: Object = {"name": name, "type": kind, "timeout": timeout, "url": f"http://{NAME}.{self.namespace}{path}"}
        return hook | ({"metadata": metadata} if metadata else {})

    def asked(self, path: str, body: dict[str, Any]) -> Said:
        """What it answers to a POST of a person, who has curl in its pod at hand, as Flagger's documents have it."""
        command = ("curl", "--silent", "--show-error", "--fail-with-body", "--data", json.dumps(body))
        pod = ("exec", f"deployment/{NAME}", "--", *command, f"http://localhost:8080{path}")
        return kubectl("-n", self.namespace, *pod, check=False)

    @property
    def gates(self) -> Object:
        """Those that are open, as a person sees them."""
        found: Object = json.loads(kubectl("-n", self.namespace, "get", "configmap", GATES, "-o", "json").out)
        return dict(found.get("data") or {})
