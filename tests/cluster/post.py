"""The post's application, set up as the post does it, in the namespaces that it names; only the certificate is ours."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ssl import create_default_context
from tempfile import TemporaryFile

import urllib3

from certs.authority import Pair, issue_ca, issue_serving
from tests.cluster.kubectl import KUBECONFIG, KUBECTL, ROOT, Object, kubectl
from tests.cluster.load_tester import LoadTester
from tests.cluster.shop import Shop
from tests.cluster.users import Users

HOST = "www.mykernel.cn"
SEED = ROOT / "tests/seed"
FILES = [f"--filename={SEED / name}.yaml" for name in ("deploy", "ingress", "canary", "rule")]
HTTPS_PORT = int(os.environ.get("DETOUR_SANDBOX_HTTPS_PORT", "8443"))
PROMETHEUS = f"http://127.0.0.1:{os.environ.get('DETOUR_SANDBOX_PROMETHEUS_PORT', '9090')}"
LONGEST_UPDATE = 6 * 60  # seconds: the script itself gives up earlier


@dataclass
class Post:
    """What the post sets up. `shop` is its namespace, in the words of the other tests."""

    authority: Pair = field(default_factory=lambda: issue_ca(datetime.now(UTC)))
    shop: Shop = field(default_factory=lambda: Shop("default"))

    def set_up(self) -> None:
        """Application, Canary and load tester, and the certificate that the Ingress refers to."""
        pair = issue_serving(self.authority, [HOST], datetime.now(UTC))
        data = {"tls.crt": pair.certificate.decode(), "tls.key": pair.key.decode()}
        kind = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls"}
        self.shop.apply({**kind, "metadata": {"name": "mykernel.cn"}, "stringData": data})
        kubectl("apply", *FILES)
        kubectl("create", "namespace", "test")
        LoadTester("test").install()

    def take_away(self) -> None:
        """Everything that was set up, completely, whoever left it."""
        kubectl("delete", "--ignore-not-found", *FILES)
        kubectl("delete", "--ignore-not-found", "secret", "mykernel.cn")
        kubectl("delete", "--ignore-not-found", "namespace", "test")
        self.shop.until_gone()

    def users(self) -> Users:
        """They come by HTTPS, and trust nobody but whom the certificate names."""
        return Users(HOST, self.securely)

    def securely(self) -> urllib3.HTTPSConnectionPool:
        trust = create_default_context(cadata=self.authority.certificate.decode())
        return urllib3.HTTPSConnectionPool(
            "127.0.0.1",
            HTTPS_PORT,
            maxsize=1,
            timeout=urllib3.Timeout(10.0),
            ssl_context=trust,
            server_hostname=HOST,
            assert_hostname=HOST,
        )

    def update(self) -> subprocess.CompletedProcess[str]:
        """The post's script, under bash."""
        path = f"{KUBECTL.parent}:{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "KUBECONFIG": str(KUBECONFIG)}
        script = ["bash", str(SEED / "update.sh")]
        return subprocess.run(script, env=environment, capture_output=True, text=True, timeout=LONGEST_UPDATE)

    def events(self) -> list[str]:
        """What was said about the Canary since it was made."""
        uid = self.shop.get("canary", "podinfo")["metadata"]["uid"]
        found = self.shop.get("events", f"--field-selector=involvedObject.uid={uid}")["items"]
        return [event["message"] for event in found]

    def pods(self) -> set[str]:
        """The primary's, by name."""
        found = self.shop.get("pods", "--selector=app=podinfo,tier=backend")["items"]
        return {pod["metadata"]["name"] for pod in found if "deletionTimestamp" not in pod["metadata"]}


@contextmanager
def states(kind: str, name: str, namespace: str) -> Iterator[list[Object]]:
    """Every state that an object goes through during the block, also when it is made or deleted; known after it."""
    seen: list[Object] = []
    command = [str(KUBECTL), "--kubeconfig", str(KUBECONFIG), "--namespace", namespace, "get", kind, "--watch"]
    with TemporaryFile("w+") as output:
        watching = subprocess.Popen(
            [*command, f"--field-selector=metadata.name={name}", "--output=json"], stdout=output
        )
        try:
            yield seen
        finally:
            watching.terminate()
            watching.wait(10)
            output.seek(0)
            seen += documents(output.read())


def documents(text: str) -> Iterator[Object]:
    """JSON objects, one after the other; a last one that was cut off is left out."""
    decoder, at = json.JSONDecoder(), 0
    while (begin := text.find("{", at)) >= 0:
        try:
            found, at = decoder.raw_decode(text, begin)
        except ValueError:
            return
        yield found


def measured(query: str) -> float:
    """What Prometheus answers, summed up."""
    answer = urllib3.request("GET", f"{PROMETHEUS}/api/v1/query", fields={"query": query}, timeout=10.0, retries=False)
    return sum(float(series["value"][1]) for series in answer.json()["data"]["result"])


def tasks_of_the_load_tester() -> dict[str, int]:
    """What became of what it was asked to run, by its own metrics."""
    path = "/api/v1/namespaces/test/services/flagger-loadtester:80/proxy/metrics"
    lines = kubectl("get", "--raw", path).out.splitlines()
    counts = [line.split() for line in lines if line.startswith("detour_loadtester_tasks_total")]
    return {labels.split('"')[1]: int(count) for labels, count in counts}
