"""The YAML of the demo and the code that works on it agree."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from detour.demo import stage
from detour.demo.observation import NAMESPACE
from detour.demo.record import NAME
from detour.demo.traffic import HOST
from detour.demo.venue import SANDBOXES_PROMETHEUS


def parsed(prometheus: str = SANDBOXES_PROMETHEUS) -> Iterator[dict[str, Any]]:
    yield from yaml.safe_load_all(stage.objects(prometheus))


def only(kind: str) -> dict[str, Any]:
    (found,) = (document for document in parsed() if document["kind"] == kind)
    return found


def test_everything_is_in_the_demos_own_namespace_which_is_marked_as_its_own() -> None:
    others = [document for document in parsed() if document["kind"] != "Namespace"]
    assert {document["metadata"]["namespace"] for document in others} == {NAMESPACE}
    assert only("Namespace")["metadata"] == {"name": NAMESPACE, "labels": {stage.MARK: NAMESPACE}}


def test_the_traffic_asks_for_the_host_of_the_ingress() -> None:
    (rule,) = only("Ingress")["spec"]["rules"]
    assert rule["host"] == HOST


def test_the_canary_is_about_the_deployment_that_is_watched() -> None:
    target = only("Canary")["spec"]["targetRef"]
    assert (target["kind"], target["name"]) == ("Deployment", NAME)
    assert only("Deployment")["metadata"]["name"] == NAME


def test_every_metric_of_the_canary_has_its_template() -> None:
    templates = {document["metadata"]["name"] for document in parsed() if document["kind"] == "MetricTemplate"}
    metrics = only("Canary")["spec"]["analysis"]["metrics"]
    assert {metric["templateRef"]["name"] for metric in metrics} == templates


@pytest.mark.parametrize("address", ["http://prometheus.elsewhere:80", "https://metrics.example"])
def test_prometheus_is_where_the_option_says(address: str) -> None:
    templates = [document for document in parsed(address) if document["kind"] == "MetricTemplate"]
    assert {template["spec"]["provider"]["address"] for template in templates} == {address}


def test_the_ingress_is_of_the_class_that_splits() -> None:
    classes = [
        document["spec"].get("ingressClassName")
        for chosen in ("", "edge")
        for document in yaml.safe_load_all(stage.objects(SANDBOXES_PROMETHEUS, chosen))
        if document["kind"] == "Ingress"
    ]
    assert classes == [None, "edge"]
