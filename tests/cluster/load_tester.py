"""The load tester, as its manifests have it, in any namespace; and what a webhook of a Canary asks of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.charts.rendering import HELM, template
from tests.cluster.kubectl import ROOT, Object, Said, kubectl

MANIFESTS = ROOT / "manifests/loadtester"
NAME, GATES = "flagger-loadtester", "flagger-loadtester-gates"
USUAL = "namespace: test"
GIVEN = "given-token"


@dataclass(frozen=True, slots=True)
class LoadTester:
    """One load tester in one namespace. With a `token` it asks for that; `suites` are scripts by name."""

    namespace: str
    token: str = ""
    suites: Mapping[str, str] = field(default_factory=dict)

    def install(self) -> None:
        """Apply its manifests, or what its chart makes of what they have not, and wait until it answers."""
        kubectl("apply", "-f", "-", stdin=self._by_chart() if self.token or self.suites else self._by_kustomize())
        self.ready()

    def ready(self) -> None:
        kubectl("-n", self.namespace, "rollout", "status", f"deployment/{NAME}", "--timeout=90s")

    def restart(self) -> None:
        """Another pod in the place of the one that runs."""
        kubectl("-n", self.namespace, "rollout", "restart", f"deployment/{NAME}")
        self.ready()

    def hook(self, name: str, kind: str, path: str = "/", timeout: str = "10s", **metadata: str) -> Object:
        """A webhook of an analysis that asks it."""
        who = f"detour:{self.token}@" if self.token else ""
        url = f"http://{who}{NAME}.{self.namespace}{path}"
        hook: Object = {"name": name, "type": kind, "timeout": timeout, "url": url}
        return hook | ({"metadata": metadata} if metadata else {})

    def asked(self, path: str, body: Object, *headers: str) -> Said:
        """What it answers to a POST of a person, who has curl in its pod at hand, as Flagger's documents have it."""
        command = ["curl", "--silent", "--show-error", "--fail-with-body", "--data", json.dumps(body)]
        command += [f"--header={header}" for header in headers]
        pod = ("exec", f"deployment/{NAME}", "--", *command, f"http://localhost:8080{path}")
        return kubectl("-n", self.namespace, *pod, check=False)

    @property
    def gates(self) -> Object:
        """Those that are open, as a person sees them."""
        found: Object = json.loads(kubectl("-n", self.namespace, "get", "configmap", GATES, "-o", "json").out)
        return dict(found.get("data") or {})

    def _by_kustomize(self) -> str:
        return kubectl("kustomize", str(MANIFESTS)).out.replace(USUAL, f"namespace: {self.namespace}")

    def _by_chart(self) -> str:
        values = {"suites": self.suites, "tokenSecret": GIVEN if self.token else ""}
        if self.token:
            secret = ("create", "secret", "generic", GIVEN, f"--from-literal=token={self.token}")
            kubectl("-n", self.namespace, *secret)
        given = [f"--set-json={name}={json.dumps(value)}" for name, value in values.items()]
        return template(max(HELM), "loadtester", *given, release=NAME, namespace=self.namespace)
