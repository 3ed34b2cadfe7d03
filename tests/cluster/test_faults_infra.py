"""What surrounds us breaks: the API server, etcd's memory, the way to them. The whole table is `make faults`."""

import json
from concurrent.futures import ThreadPoolExecutor
from tempfile import NamedTemporaryFile

import pytest

from analyzer.kube.client import Client
from analyzer.kube.resources import SERVICES
from analyzer.kube.watch import Watch
from tests.cluster.kubectl import KUBECONFIG, Object, eventually, kubectl
from tests.cluster.namespaces import namespace
from tests.cluster.shop import QUICK, OpenShop
from tests.faults import etcd
from tests.faults.components import kill, until_the_api_server_answers
from tests.faults.way import Way, api_port, way

ONE_STEP = {"interval": "12s", "stepWeight": 50, "metrics": []}


@pytest.mark.alone
def test_when_the_api_server_and_its_memory_are_lost_every_application_goes_on_where_it_was(
    open_shop: OpenShop,
) -> None:
    with ThreadPoolExecutor(4) as pool:
        analyses = (QUICK, ONE_STEP, QUICK, QUICK)
        resting, weighted, promoting, beginning = pool.map(lambda analysis: open_shop(analysis=analysis), analyses)
    promoting("patch", "deployment", "podinfo", "-p", '{"spec":{"minReadySeconds":8}}')
    weighted.set_image("6.0.1")
    promoting.set_image("6.0.1")
    weighted.until_weight(50)
    promoting.until("Promoting")
    beginning.set_image("6.0.1")
    etcd.compact()
    kill("kube-apiserver")
    until_the_api_server_answers()
    resting.set_image("6.0.1")
    for shop in (beginning, promoting, weighted, resting):
        shop.until("Succeeded")
        assert shop.live_image == "6.0.1"
        shop.until_gone()


@pytest.mark.alone
def test_a_watch_that_was_away_while_history_was_forgotten_knows_the_world_as_it_is() -> None:
    told: list[tuple[str, str]] = []
    with namespace("watched") as name, way("127.0.0.1", api_port()) as between:
        watch = Watch(
            client_over(between), SERVICES, lambda found: told.append((found["metadata"]["name"], color(found)))
        )
        watch.start()
        for each in ("kept", "changed", "deleted"):
            paint(name, each, "green")
        eventually(lambda: len(watch.in_namespace(name)) == 3, "they are seen", 20)
        with between.refusing():
            told.clear()
            paint(name, "changed", "red")
            paint(name, "new", "red")
            kubectl("-n", name, "delete", "service", "deleted")
            etcd.compact()
            kill("kube-apiserver")
            until_the_api_server_answers()
        eventually(lambda: watch.get(name, "new"), "it follows again", 20)
        watch.stop()
        wanted = {"kept": "green", "changed": "red", "new": "red"}
        assert {found["metadata"]["name"]: color(found) for found in watch.in_namespace(name)} == wanted
        eventually(lambda: {("changed", "red"), ("new", "red"), ("deleted", "green")} <= set(told), "it is told", 10)
        assert ("kept", "green") not in told


def client_over(between: Way) -> Client:
    """The administrator's, over a way that can be disturbed."""
    config = json.loads(KUBECONFIG.read_text())
    config["clusters"][0]["cluster"]["server"] = between.address
    with NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(config, file)
        file.flush()
        return Client.connect(file.name)


def paint(namespace: str, name: str, shade: str) -> None:
    """A Service of this name has this label."""
    spec = {"ports": [{"port": 80}]}
    metadata = {"name": name, "namespace": namespace, "labels": {"color": shade}}
    kubectl(
        "apply",
        "-f",
        "-",
        stdin=json.dumps({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}),
    )


def color(found: Object) -> str:
    return str(found["metadata"]["labels"]["color"]) if "labels" in found["metadata"] else ""
