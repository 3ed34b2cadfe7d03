"""The sandbox itself, in short: what the demo and the other tests take for granted."""

import collections
import functools
import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import forward, layout, network, record, status, supervisor
from tests.cluster.kubectl import eventually, kubectl
from tests.cluster.namespaces import namespace

RUNNING = record.read()
PORTS = RUNNING.ports if RUNNING else layout.Ports()

APPLICATION = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME}
spec:
  replicas: 1
  selector: {matchLabels: {app: NAME}}
  template:
    metadata:
      labels: {app: NAME}
      annotations: ANNOTATIONS
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: podinfo
          image: ghcr.io/stefanprodan/podinfo:TAG
          command: [./podinfo, --port=9898, --level=error]
          env: [{name: PODINFO_UI_MESSAGE, value: NAME}]
          ports: [{name: http, containerPort: 9898}]
          readinessProbe: {httpGet: {path: /readyz, port: http}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: NAME}
spec: {selector: {app: NAME}, ports: [{name: http, port: 9898, targetPort: http}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: NAME
  annotations: INGRESS
spec:
  rules:
    - host: HOST
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: NAME, port: {number: 9898}}}}]}
"""


class Place:
    """A namespace with applications behind the Ingress, at a host name of its own."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self.host = f"{namespace}.example.com"

    def __call__(self, *arguments: str, stdin: str | None = None) -> str:
        return kubectl(f"--namespace={self.namespace}", *arguments, stdin=stdin).out

    def run(self, name: str, tag: str = "6.0.0", pod: str = "{}", ingress: str = "{}") -> None:
        """podinfo under this name, with these annotations of its pods and of its Ingress, until it is ready."""
        text = APPLICATION.replace("NAME", name).replace("TAG", tag).replace("HOST", self.host)
        self("apply", "--filename=-", stdin=text.replace("ANNOTATIONS", pod).replace("INGRESS", ingress))
        self("rollout", "status", f"deployment/{name}", "--timeout=60s")

    def inside(self, *command: str) -> str:
        """What a command printed in the pod of the application `app`."""
        return self("exec", "deployment/app", "--", *command)


@pytest.fixture
def place() -> Iterator[Place]:
    with namespace("sandbox") as name:
        yield Place(name)


def visit(host: str, path: str = "/") -> tuple[int, str]:
    request = urllib.request.Request(f"http://127.0.0.1:{PORTS.http}{path}", headers={"Host": host})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def message(host: str) -> str | None:
    """Whose answer the Ingress gives: the message of the application, None while there is none."""
    code, text = visit(host, "/api/info")
    return str(json.loads(text)["message"]) if code == 200 else None


def series(query: str) -> list[dict[str, str]]:
    address = f"http://127.0.0.1:{PORTS.prometheus}/api/v1/query?" + urllib.parse.urlencode({"query": query})
    with urllib.request.urlopen(address, timeout=10) as answer:
        return [result["metric"] for result in json.load(answer)["data"]["result"]]


def test_an_ingress_without_a_class_answers_on_the_hosts_loopback(place: Place) -> None:
    place.run("app")
    assert eventually(lambda: message(place.host), "an answer") == "app"
    assert place("get", "ingress", "app", "--output=jsonpath={.spec.ingressClassName}") == "nginx"


def test_a_canary_ingress_gets_the_share_of_its_weight(place: Place) -> None:
    place.run("app")
    prefix = "nginx.ingress.kubernetes.io"
    place.run("next", ingress=f'{{{prefix}/canary: "true", {prefix}/canary-weight: "30"}}')
    eventually(lambda: message(place.host) == "next", "an answer of the canary")
    seen = collections.Counter(message(place.host) for _ in range(300))
    assert set(seen) == {"app", "next"}
    # 90 are expected of 300; five standard deviations of a random choice are 40.
    assert 50 <= seen["next"] <= 130


def test_pods_reach_services_by_name_and_by_address(place: Place) -> None:
    place.run("app")
    place.run("next")
    address = place("get", "service", "next", "--output=jsonpath={.spec.clusterIP}")
    for host in (address, "next", f"next.{place.namespace}.svc.cluster.local"):
        place.inside("podcli", "check", "http", f"http://{host}:9898/readyz")


def test_a_pod_reaches_itself_through_its_service(place: Place) -> None:
    place.run("app")
    place.inside("podcli", "check", "http", "http://app:9898/readyz")


def test_pods_reach_the_ingress_controller_by_its_name(place: Place) -> None:
    place.run("app")
    place.inside("podcli", "check", "tcp", "traefik.ingress:80")


def test_prometheus_knows_every_pod_by_four_labels(place: Place) -> None:
    place.run("app")
    place.run("annotated", pod='{prometheus.io/scrape: "true", prometheus.io/port: "9898"}')
    for name in ("app", "annotated"):
        query = f'up{{namespace="{place.namespace}", pod=~"{name}-.*"}} == 1'
        (labels,) = eventually(functools.partial(series, query), query)
        assert labels["kubernetes_namespace"] == labels["namespace"] == place.namespace
        assert labels["kubernetes_pod_name"] == labels["pod"]


def test_a_new_pod_is_scraped_within_seconds(place: Place) -> None:
    place.run("app")
    eventually(lambda: series(f'process_start_time_seconds{{namespace="{place.namespace}"}}'), "scraped", 20)


def test_logs_and_commands_reach_the_pods(place: Place) -> None:
    place.run("app")
    assert place.inside("podcli", "version").strip()
    visit(place.host)
    place("logs", "deployment/app")


def test_a_third_of_the_answers_of_the_faulty_version_are_errors_whatever_its_command(place: Place) -> None:
    place.run("app", tag="errors")
    eventually(lambda: visit(place.host)[0] == 200, "an answer")
    codes = collections.Counter(visit(place.host)[0] for _ in range(300))
    assert set(codes) == {200, 500}
    # 100 are expected of 300; five standard deviations of a random choice are 41.
    assert 59 <= codes[500] <= 141


def test_the_slow_version_takes_a_second_or_two_whatever_its_command(place: Place) -> None:
    place.run("app", tag="slow")
    eventually(lambda: visit(place.host)[0] == 200, "an answer")
    for _ in range(3):
        began = time.monotonic()
        assert visit(place.host)[0] == 200
        assert time.monotonic() - began >= 1.0


def test_prometheus_has_the_name_of_flaggers_examples(place: Place) -> None:
    place.run("app")
    for host in ("prometheus.monitoring", "flagger-prometheus.kube-system.svc"):
        place.inside("podcli", "check", "http", f"http://{host}:9090/-/ready")


def test_every_request_to_the_api_server_is_in_the_audit_log(place: Place) -> None:
    place("get", "configmaps")
    eventually(lambda: f"/namespaces/{place.namespace}/configmaps" in layout.AUDIT_LOG.read_text(), "an entry")


@pytest.mark.alone
@pytest.mark.parametrize("component", ["kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet"])
def test_a_killed_component_is_started_again_at_once(component: str) -> None:
    before = supervisor.status()[component]
    os.kill(status.host_pids()[before["pid"]], signal.SIGKILL)
    eventually(lambda: supervisor.status()[component]["pid"] not in (None, before["pid"]), "a new process", 5)
    assert supervisor.status()[component]["restarts"] == before["restarts"] + 1
    eventually(lambda: kubectl("get", "--raw=/readyz").out == "ok", "the API server is ready")


def test_a_container_that_dies_again_and_again_is_started_again_within_seconds(place: Place) -> None:
    place.run("app")
    deaths = "--output=jsonpath={.items[0].status.containerStatuses[0].restartCount}"
    for _ in range(4):
        eventually(lambda: message(place.host) == "app", "an answer", 18)
        visit(place.host, "/panic")
    eventually(lambda: place("get", "pods", deaths) == "4", "four restarts", 18)  # a back-off would be 40 s by now


def test_the_forwarder_failed_at_nothing() -> None:
    assert {name: count for name, count in forward.failures().items() if name != "restarts"} == {
        "connect": 0,
        "internal": 0,
    }


def test_the_host_keeps_its_firewall_and_has_no_mount_of_the_sandbox() -> None:
    rules = subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, timeout=30).stdout
    assert "kube-proxy" not in rules
    assert str(layout.STATE) not in Path("/proc/self/mountinfo").read_text()
    assert network.inhabitants()
