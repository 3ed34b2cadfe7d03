"""The diary's application and Canary, letter by letter but for names: in a namespace and at a host of their own."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sandbox import command
from tests.bench.figure import SHORT
from tests.cluster.kubectl import ROOT, Said, kubectl
from tests.cluster.load_tester import LoadTester

DIARY = ROOT / "tests/seed"
FILES = ("deploy.yaml", "ingress.yaml", "rule.yaml", "canary.yaml")
HOST, SECRET = "www.mykernel.cn", "mykernel.cn"
HTTPS = int(os.environ.get("DETOUR_SANDBOX_HTTPS_PORT", "8443"))

INTERVAL = 10  # seconds, as in canary.yaml
STEP_WEIGHT = 5
MAX_WEIGHT = 10 if SHORT else 50
STEPS = MAX_WEIGHT // STEP_WEIGHT


@dataclass(frozen=True, slots=True)
class Stage:
    """One namespace with the diary's application, and the load tester that its Canary calls."""

    namespace: str
    name = "podinfo"

    @property
    def host(self) -> str:
        return f"{self.namespace}.{SECRET}"

    @property
    def address(self) -> str:
        """Where the Ingress controller is; the Ingress wants TLS."""
        return f"https://127.0.0.1:{HTTPS}/"

    def open(self) -> None:
        """Create everything, and wait until the pods run. Who makes the Service is the controller's business."""
        LoadTester(self.namespace).install()
        self._certify()
        manifest = "\n---\n".join(self.manifest((DIARY / name).read_text()) for name in FILES)
        self._kubectl("apply", "-f", "-", stdin=manifest)
        self._kubectl("rollout", "status", f"deployment/{self.name}", "--timeout=90s")

    def update(self) -> None:
        """What the user types."""
        self._kubectl("set", "image", f"deployment/{self.name}", "deploy-container=seed-app:3.0.1")

    def manifest(self, text: str) -> str:
        """The diary's YAML with its namespaces and its host as they are called here."""
        renamed = {
            "namespace: default": f"namespace: {self.namespace}",
            "podinfo-canary.default.svc": f"podinfo-canary.{self.namespace}.svc",
            "flagger-loadtester.test.svc": f"flagger-loadtester.{self.namespace}.svc",
            HOST: self.host,
            "maxWeight: 50": f"maxWeight: {MAX_WEIGHT}",
        }
        for theirs, ours in renamed.items():
            text = text.replace(theirs, ours)
        return text

    def _certify(self) -> None:
        """The Secret that the Ingress names, with a certificate that nobody vouches for."""
        with tempfile.TemporaryDirectory() as folder:
            key, certificate = Path(folder, "key"), Path(folder, "certificate")
            made = ("-days", "1", "-subj", f"/CN={self.host}", "-keyout", str(key), "-out", str(certificate))
            command.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *made)
            self._kubectl("create", "secret", "tls", SECRET, f"--key={key}", f"--cert={certificate}")

    def _kubectl(self, *arguments: str, stdin: str | None = None) -> Said:
        return kubectl("-n", self.namespace, *arguments, stdin=stdin)
