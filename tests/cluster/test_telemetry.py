"""What the running pods tell: metrics as documented, through Prometheus, and one update in the logs of both parts."""

import json
import urllib.parse
import urllib.request
from typing import Any

import pytest

from sandbox.layout import Ports
from tests.cluster.kubectl import eventually, get, kubectl
from tests.cluster.shop import QUICK, OpenShop, Shop
from tests.telemetry.exposed import documented
from tests.telemetry.manifests import queries
from webhook import revision, stash

PORTS = {"webhook": 8081, "analyzer": 8082}


def pods() -> list[str]:
    found = get("pods", "-n", "detour", "-l", "app.kubernetes.io/name=detour")["items"]
    return [pod["metadata"]["name"] for pod in found]


def metrics(pod: str, container: str) -> str:
    """What it exposes, by way of the API server."""
    return kubectl("get", "--raw", f"/api/v1/namespaces/detour/pods/{pod}:{PORTS[container]}/proxy/metrics").out


def asked(query: str) -> list[dict[str, Any]]:
    """What the sandbox's Prometheus answers."""
    port = Ports.from_environment().prometheus
    address = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": query})
    with urllib.request.urlopen(address, timeout=20) as answer:
        said = json.load(answer)
    assert said["status"] == "success", said
    found: list[dict[str, Any]] = said["data"]["result"]
    return found


def told(container: str) -> list[str]:
    """What one of the two parts has logged, in all replicas."""
    return kubectl(
        "logs", "-n", "detour", "-l", "app.kubernetes.io/name=detour", f"--container={container}", "--tail=-1"
    ).out.splitlines()


@pytest.fixture(name="promoted")
def _promoted(open_shop: OpenShop) -> tuple[Shop, str]:
    """An application whose update was promoted, and the ten digits of that."""
    shop = open_shop(analysis=QUICK)
    shop.set_image("6.0.1")
    waiting = eventually(lambda: stash.diverted(shop.primary), "it is diverted")
    assert waiting
    shop.until("Succeeded")
    return shop, revision.short(waiting.digest)


def test_the_running_pods_expose_what_is_documented_and_nothing_else() -> None:
    lines = [line for pod in pods() for part in PORTS for line in metrics(pod, part).splitlines()]
    found = {tuple(line.split()[2:4]) for line in lines if line.startswith("# TYPE ")}
    assert found == {(metric.name, metric.type) for metric in documented()}


def test_prometheus_answers_every_query_of_the_alerts_and_the_dashboard() -> None:
    for where, query in queries().items():
        assert asked(query) is not None, where


def test_prometheus_knows_what_became_of_a_canary_until_it_is_deleted(promoted: tuple[Shop, str]) -> None:
    shop, _ = promoted
    here = f'namespace="{shop.namespace}", name="podinfo"'
    eventually(lambda: asked(f'detour_canary_phase{{{here}, phase="Succeeded"}} == 1'), "its phase", 60)
    eventually(lambda: asked(f'detour_canary_endings_total{{{here}, outcome="Succeeded"}} == 1'), "its ending", 60)
    assert asked(f"flagger_canary_status{{{here}}} == 1")
    assert asked(f'flagger_canary_weight{{namespace="{shop.namespace}", workload="podinfo"}}')
    shop("delete", "canary", "podinfo")
    eventually(lambda: not asked(f"{{{here}}}"), "no series of it", 60)


def test_one_update_is_followed_through_the_logs_of_both_parts(promoted: tuple[Shop, str]) -> None:
    shop, digits = promoted
    same = f"namespace={shop.namespace} name=podinfo revision={digits}"
    reviewed = [line for line in told("webhook") if same in line]
    assert any(line.endswith("decision=diverted dry_run=false") for line in reviewed)
    assert any(line.endswith("decision=promoting dry_run=false") for line in reviewed)
    eventually(
        lambda: any(same in line and "Promotion completed!" in line for line in told("analyzer")), "the analyzer's end"
    )
