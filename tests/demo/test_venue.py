"""Where the demo is played, and what it takes along."""

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from analyzer.kube.client import Client
from analyzer.kube.resources import Resource
from detour.demo import entrance, venue
from detour.demo.command import is_the_sandboxs
from detour.demo.kubectl import DemoError, Kubectl
from detour.demo.observation import NAMESPACE
from detour.doctor.snapshot import Snapshot
from tests.detour.doctor.cluster import EMPTY, FIT, TRAEFIK, ingress_class, lease, workload

IMAGE = "registry.example/prometheus:v3"


def at(seen: Snapshot, monkeypatch: pytest.MonkeyPatch, prometheus: str = "", chosen: str = "") -> venue.Venue:
    """The venue in a cluster that the doctor has seen like this."""
    monkeypatch.setattr(venue, "look", lambda _: seen)
    return venue.elsewhere(Client(None), prometheus, IMAGE, chosen)


def test_the_sandbox_has_a_prometheus_and_a_bad_image() -> None:
    where = venue.sandbox("")
    assert (where.prometheus, where.more, where.ingress_class) == (venue.SANDBOXES_PROMETHEUS, "", "")
    assert [version.expected for version in where.versions] == ["Succeeded", "Failed"]


def test_elsewhere_the_demo_brings_a_prometheus_that_is_its_own_and_goes_with_its_namespace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    where = at(FIT, monkeypatch)
    found = list(yaml.safe_load_all(where.more))
    assert {each["metadata"]["namespace"] for each in found} == {NAMESPACE}
    (deployment,) = [each for each in found if each["kind"] == "Deployment"]
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == IMAGE
    assert where.prometheus == f"http://prometheus.{NAMESPACE}:9090"


def test_a_prometheus_that_is_named_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    where = at(FIT, monkeypatch, prometheus="http://mine:9090")
    assert (where.prometheus, where.more) == ("http://mine:9090", "")


def test_the_class_is_one_that_splits_the_default_first(monkeypatch: pytest.MonkeyPatch) -> None:
    nginx = ingress_class("nginx", "k8s.io/ingress-nginx", default=True)
    classes = (ingress_class("a", "alb"), ingress_class("b", "k8s.io/ingress-nginx"), nginx)
    assert at(replace(FIT, classes=classes), monkeypatch).ingress_class == "nginx"
    assert at(replace(FIT, classes=classes), monkeypatch, chosen="a").ingress_class == "a"


def test_the_bad_version_is_a_published_image_made_slow_by_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    (_, bad) = at(FIT, monkeypatch).versions
    *_, text = shlex.split(bad.command)
    patch: dict[str, Any] = json.loads(text)
    (container,) = patch["spec"]["template"]["spec"]["containers"]
    assert container["image"].endswith(f":{bad.tag}")
    assert {each["name"]: each["value"] for each in container["env"]} == venue.SLOW


@pytest.mark.parametrize(
    ("seen", "says"),
    [
        (EMPTY, "kubectl apply -k manifests/"),
        (replace(FIT, lease=lease(3600)), "leader: detour-1 has not renewed"),
        (replace(FIT, classes=()), "--ingress-class"),
    ],
)
def test_a_cluster_that_is_not_fit_is_refused_in_the_doctors_words(
    seen: Snapshot, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DemoError, match=says):
        at(seen, monkeypatch)


class Api(Client):
    """Mock of an API server with one Ingress, and Services in the controller's namespace."""

    def __init__(self, *services: dict[str, Any]) -> None:
        super().__init__(None)
        self.services = services

    def get(self, *_: Any) -> dict[str, Any]:
        """The demo's Ingress, without a published address."""
        return {"status": {"loadBalancer": {}}}

    def list(self, resource: Resource, namespace: str | None = None, **query: str) -> dict[str, Any]:
        """The Services."""
        return {"items": list(self.services)}


def service(name: str, selector: dict[str, str] | None, port: int) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"selector": selector, "ports": [{"name": "x", "port": port}]}}


def test_without_a_published_address_a_port_of_the_controllers_service_is_forwarded(tmp_path: Path) -> None:
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(
        '#!/bin/sh\nprintf "%s " "$@" > "$0.log"\necho "Forwarding from 127.0.0.1:4711 -> 80"\nexec sleep 60\n'
    )
    kubectl.chmod(0o755)
    labels = {"app": "traefik"}
    traefik = workload("traefik", "traefik:v3.7.5", namespace="ingress", args=TRAEFIK, pods=labels)
    seen = replace(FIT, workloads=(traefik,))
    api = Api(service("other", {"app": "x"}, 80), service("admin", labels, 9000), service("traefik", labels, 80))
    with entrance.entrance(api, Kubectl(str(kubectl), "", lambda _: None), seen) as url:
        assert url == "http://127.0.0.1:4711"
    assert (tmp_path / "kubectl.log").read_text() == "-n ingress port-forward service/traefik :80 "


def test_a_controller_without_a_service_is_to_be_named() -> None:
    with (
        pytest.raises(DemoError, match="--ingress"),
        entrance.entrance(Api(), Kubectl("kubectl", "", lambda _: None), FIT),
    ):
        pass


def test_the_sandbox_is_told_by_its_kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_the_sandboxs(".sandbox/kubeconfig")
    assert not is_the_sandboxs("other/kubeconfig")
