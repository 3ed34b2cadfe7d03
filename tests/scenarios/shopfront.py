"""The application of a scenario, as the suites that it is from have it: podinfo, its route, its metrics, its load."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.bench.traffic import Traffic
from tests.cluster import namespaces
from tests.cluster.kubectl import Object, eventually
from tests.cluster.load_tester import LoadTester
from tests.cluster.shop import PROMETHEUS, SUCCESS_RATE
from tests.faults.subject import Managed

STEPS: Object = {"interval": "4s", "threshold": 2, "stepWeight": 20, "maxWeight": 40}
"""As the suites have them, but for the interval: theirs is 10 or 15 s."""
WINDOW = "10s"
UNDER_A_BAD_LOAD = "8s"
"""The interval where a load test has to be seen: the first check calls for it, so which step is refused is chance."""
INGRESS, HTTP_ROUTE = "Ingress", "HTTPRoute"
GATEWAY = {"name": "traefik", "namespace": "ingress"}
PATIENCE = 240  # seconds without progress: a busy machine is no bad version
NAMESPACE = "{here}"
"""In the addresses of an analysis: the namespace of the scenario."""
LOAD_TESTER = "flagger-loadtester"
LOAD_SECONDS = 15  # that a load test goes on; each check calls for one more
INGRESS_CONTROLLER = "http://traefik.ingress"
LATENCY = (
    'histogram_quantile(0.99, sum(rate(http_request_duration_seconds_bucket{namespace="{{ namespace }}",'
    'pod=~"{{ target }}-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)",path="{{ variables.path }}"}[{{ interval }}])) by (le))'
)


def template(name: str, query: str) -> Object:
    """A MetricTemplate that asks the Prometheus of the sandbox."""
    return {
        "apiVersion": "flagger.app/v1beta1",
        "kind": "MetricTemplate",
        "metadata": {"name": name},
        "spec": {"provider": {"type": "prometheus", "address": PROMETHEUS}, "query": query},
    }


TEMPLATES = (template("latency", LATENCY), template("podinfo-success-rate", SUCCESS_RATE))


def metric(name: str, **limits: float) -> Object:
    """A metric that is built in, or has a template of its own."""
    reference = {"templateRef": {"name": name}, "templateVariables": {"path": "api_info"}}
    built_in = name.startswith("request-")
    return {"name": name, "interval": WINDOW, "thresholdRange": limits, **({} if built_in else reference)}


@dataclass
class Shopfront(Managed):
    """One whose only metric is a verdict, unless its `analysis` says otherwise.

    Without `adopted` it has no Canary yet. With `load` a load tester of its own is there, and asks for that path.
    """

    analysis: Object = field(default_factory=lambda: dict(STEPS))
    extras: Sequence[Object] = ()
    adopted: bool = True
    load: str = ""
    route: str = INGRESS

    def open(self) -> None:
        """Everything, and wait until it answers and, if it has a Canary, is guarded by it."""
        namespaces.create(self.namespace)
        self.apply(self.deployment(), self.service(), self.ingress(), *TEMPLATES, *self.extras)
        if self.load:
            LoadTester(self.namespace).install()
        self("rollout", "status", "deployment/podinfo", "--timeout=90s")
        eventually(self._answers, f"an answer from {self.host}", 30)
        if self.adopted:
            self.adopt()

    def adopt(self) -> None:
        """From now on Detour guards it."""
        self.apply(self.template(), self.canary())
        self("wait", "canary/podinfo", "--for=condition=guarded", "--timeout=60s")

    def ingress(self) -> Object:
        """What leads to it: an Ingress, or an HTTPRoute of the sandbox's Gateway."""
        if self.route == INGRESS:
            return super().ingress()
        rules = [{"backendRefs": [{"name": "podinfo", "port": 9898}]}]
        return {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": {"name": "podinfo"},
            "spec": {"parentRefs": [GATEWAY], "hostnames": [self.host], "rules": rules},
        }

    def crowd(self, rate: float, count: int, headers: Mapping[str, str]) -> Traffic:
        """Users whose requests bear these headers."""
        return Traffic(self.host, self.namespace, rate, count, headers=headers)

    def canary(self) -> Object:
        """As the suites have it: with the Prometheus of the built-in metrics, and the load test."""
        made = super().canary()
        analysis = {"metrics": made["spec"]["analysis"]["metrics"], **self.analysis}
        if self.load:
            analysis["webhooks"] = [*analysis.get("webhooks", ()), self.load_test()]
        always = {"metricsServer": PROMETHEUS, "progressDeadlineSeconds": PATIENCE, **self.spec}
        here = json.dumps({**made["spec"], **always, "analysis": analysis})
        return {**made, "spec": json.loads(here.replace(NAMESPACE, self.namespace))}

    def load_test(self, path: str = "") -> Object:
        """The hook of the suites that keeps the canary busy: a path through the Ingress controller, or an address."""
        asked = path or self.load
        where = asked if asked.startswith("http") else f"-host {self.host} {INGRESS_CONTROLLER}{asked}"
        command = f"hey -z {LOAD_SECONDS}s -q 10 -c 2 {where}"
        url = f"http://{LOAD_TESTER}.{self.namespace}/"
        return {"name": "load-test", "url": url, "timeout": "5s", "metadata": {"type": "cmd", "cmd": command}}

    def judge(self, query: str) -> None:
        """From now on the verdict is this query."""
        made = self.template()
        self.apply({**made, "spec": {**made["spec"], "query": query}})

    def amend(self, **analysis: object) -> None:
        """The analysis with other fields."""
        self.specify(analysis=analysis)

    def manifest(self, tag: str) -> str:
        """The Deployment of a version, as a file has it."""
        return json.dumps(self.deployment(tag))

    def pods_of(self, version: str) -> list[Object]:
        """The pods of the primary that run this tag and are not on their way out."""
        found = self.get("pods", "-l", "app=podinfo")["items"]
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"] and _tag(pod) == version]

    def evict(self, pod: Object) -> None:
        """As a node that is drained does it."""
        name = pod["metadata"]["name"]
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
        path = f"/api/v1/namespaces/{self.namespace}/pods/{name}/eviction"
        self("create", "--raw", path, "-f", "-", stdin=json.dumps(body))


def _tag(pod: Object) -> str:
    return str(pod["spec"]["containers"][0]["image"]).rpartition(":")[2]
