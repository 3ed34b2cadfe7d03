"""Every value does what its description says, and a wrong one is refused in words."""

import json
from typing import Any

import pytest
import yaml

from tests.charts.generated import schema
from tests.charts.options import options
from tests.charts.rendering import HELM, attempt
from tests.charts.values import CASES, POLICY, WITH_PROMETHEUS, Look, flag, in_containers, render, spec

pytestmark = pytest.mark.cluster  # its programs are the sandbox's


@pytest.mark.parametrize(
    ("chart", "path", "value", "look", "expected"),
    [pytest.param(chart, *case, id=f"{chart} {case[0]}") for chart, cases in CASES.items() for case in cases],
)
def test_a_value_becomes_what_the_table_says(chart: str, path: str, value: Any, look: Look, expected: Any) -> None:
    assert look(render(chart, f"{path}={json.dumps(value)}")) == expected


@pytest.mark.parametrize("chart", CASES)
def test_every_value_is_tried(chart: str) -> None:
    tried = {case[0] for case in CASES[chart]}
    assert {option.path for option in options(schema(chart))} - WITH_PROMETHEUS == tried


def test_the_prometheus_is_the_one_that_is_asked_for_and_nothing_of_it_is_taken_for_detour() -> None:
    given = ("prometheus.install=true", 'prometheus.image="a/b:c"', 'prometheus.retention="9h"')
    found = render("detour", *given)
    deployment = found["Deployment", "detour-prometheus"]["spec"]["template"]
    (container,) = deployment["spec"]["containers"]
    assert container["image"] == "a/b:c"
    assert "--storage.tsdb.retention.time=9h" in container["args"]
    selector = found["Service", "detour"]["spec"]["selector"]
    assert not selector.items() <= deployment["metadata"]["labels"].items()
    asked = render("detour", "prometheus.install=true", 'metricsServer="http://mine:9090"')
    assert flag("--metrics-server")(asked) == ["http://mine:9090"]


@pytest.mark.parametrize("values", [("bash=true",), ('suites={"a":"#!/bin/sh"}',)])
def test_a_load_tester_has_a_place_to_write_to_only_where_scripts_may_need_one(values: tuple[str, ...]) -> None:
    assert "volumes" not in spec(render("loadtester"))["template"]["spec"]
    mounts = in_containers("volumeMounts")(render("loadtester", *values))[0]
    assert [mount["mountPath"] for mount in mounts if not mount.get("readOnly")] == ["/tmp"]


def test_a_default_policy_is_in_a_file_of_the_analyzer_and_a_change_of_it_starts_new_pods() -> None:
    found = render("detour", f"defaultPolicy={json.dumps(POLICY)}")
    assert yaml.safe_load(found["ConfigMap", "detour-default-policy"]["data"]["policy.yaml"]) == POLICY
    other = render("detour", f"defaultPolicy={json.dumps({**POLICY, 'suspend': True})}")
    assert spec(found)["template"] != spec(other)["template"]


def test_the_addresses_of_chats_are_in_secrets_that_the_analyzer_reads_and_a_change_of_them_starts_new_pods() -> None:
    found = render("detour", 'slack.url="https://a/b"', 'slack.token="xoxb-1"')
    assert found["Secret", "detour-slack"]["stringData"] == {"address": "https://a/b", "token": "xoxb-1"}
    (analyzer,) = [each for each in spec(found)["template"]["spec"]["containers"] if each["name"] == "analyzer"]
    read = {each["name"]: each["valueFrom"].get("secretKeyRef") for each in analyzer["env"]}
    assert read["SLACK_URL"] == {"name": "detour-slack", "key": "address", "optional": True}
    assert read["SLACK_TOKEN"] == {"name": "detour-slack", "key": "token", "optional": True}
    assert read["MSTEAMS_URL"] == {"name": "detour-msteams", "key": "address", "optional": True}
    assert "https://a/b" not in str(spec(found))
    assert spec(found)["template"] != spec(render("detour", 'slack.url="https://a/c"'))["template"]


@pytest.mark.parametrize("version", HELM)
@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("replica=3", "additional properties 'replica' not allowed"),
        ("webhook.failurePolicy=fail", "'/webhook/failurePolicy': value must be one of 'Fail', 'Ignore'"),
        ("webhook.timeoutSeconds=31", "'/webhook/timeoutSeconds': maximum: got 31, want 30"),
        ("metricsServer=prometheus:9090", "'/metricsServer': 'prometheus:9090' does not match pattern"),
        ("image.digest=abc", "'/image/digest': 'abc' does not match pattern"),
        ("meshProvider=istio", "'/meshProvider': value must be one of '', 'nginx'"),
        ("namespaces={Shop}", "'/namespaces/0': 'Shop' does not match pattern"),
        ("leaderElection.leaseSeconds=6", "make it at most a third of leaderElection.leaseSeconds"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name(version: int, given: str, told: str) -> None:
    refused = attempt(version, "detour", "--set", given)
    assert refused.returncode
    assert told in refused.stderr
