"""The scenario's parts that need no cluster: its manifests, the course of a Canary, and the shares on the wire."""

from typing import Any

import pytest
import yaml

from tests.bench.course import Change
from tests.bench.stage import DIARY, FILES, HOST, MAX_WEIGHT, STEP_WEIGHT, STEPS, Stage
from tests.bench.wire import Passed, Share, shares

STAGE = Stage("scenario-1")


def objects(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(STAGE.manifest((DIARY / name).read_text())))


@pytest.mark.parametrize("name", FILES)
def test_everything_of_the_diary_is_in_the_stages_own_namespace(name: str) -> None:
    assert {each["metadata"]["namespace"] for each in objects(name)} == {STAGE.namespace}


def test_the_canary_refers_to_what_is_in_its_own_namespace() -> None:
    [canary] = objects("canary.yaml")
    analysis = canary["spec"]["analysis"]
    assert {metric["templateRef"]["namespace"] for metric in analysis["metrics"]} == {STAGE.namespace}
    [hook] = analysis["webhooks"]
    assert hook["url"] == f"http://flagger-loadtester.{STAGE.namespace}.svc/"
    assert f"http://podinfo-canary.{STAGE.namespace}.svc:8080" in hook["metadata"]["cmd"]


def test_the_ingress_answers_to_the_stages_own_host() -> None:
    [ingress] = objects("ingress.yaml")
    assert [rule["host"] for rule in ingress["spec"]["rules"]] == [STAGE.host]
    assert ingress["spec"]["tls"] == [{"hosts": [STAGE.host], "secretName": "mykernel.cn"}]


@pytest.mark.parametrize("name", FILES)
def test_nothing_else_differs_from_the_diary(name: str) -> None:
    theirs = (DIARY / name).read_text()
    ours = (
        STAGE.manifest(theirs)
        .replace(STAGE.host, HOST)
        .replace(f"flagger-loadtester.{STAGE.namespace}", "flagger-loadtester.test")
    )
    assert ours.replace(STAGE.namespace, "default").replace(f"maxWeight: {MAX_WEIGHT}", "maxWeight: 50") == theirs


def test_the_steps_are_as_many_as_the_canary_has() -> None:
    [canary] = objects("canary.yaml")
    analysis = canary["spec"]["analysis"]
    assert (analysis["interval"], analysis["stepWeight"], analysis["maxWeight"]) == ("10s", STEP_WEIGHT, MAX_WEIGHT)
    assert STEPS * STEP_WEIGHT == MAX_WEIGHT


def test_a_change_is_read_from_a_line_of_the_watch() -> None:
    assert Change.from_line(1.0, "Progressing,25\n") == Change(1.0, "Progressing", 25)
    assert Change.from_line(1.0, ",\n") == Change(1.0, "", 0)


def test_a_request_is_read_from_the_access_log() -> None:
    entry = {"StartUTC": "1970-01-01T00:00:01.250999999Z", "DownstreamStatus": 200}
    named = entry | {"ServiceName": "shop-podinfo-podinfo-8080@kubernetesingressnginx"}
    canary = entry | {"ServiceName": "shop-podinfo-podinfo-8080-canary@kubernetesingressnginx"}
    assert Passed.from_entry(canary) == Passed(1.250999, 200, True)
    assert not Passed.from_entry(named).canary
    assert not Passed.from_entry(entry).canary


def test_a_share_is_counted_from_when_the_weight_has_settled_until_it_changes() -> None:
    course = [
        Change(0, "Progressing", 0),
        Change(10, "Progressing", 5),
        Change(20, "Progressing", 10),
        Change(30, "Promoting", 10),
    ]
    before, settling = [Passed(9, 200, True)] * 50, [Passed(11.9, 200, True)] * 50
    at_five = [Passed(12, 200, True)] * 5 + [Passed(19.9, 200, False)] * 95
    at_ten = [Passed(25, 200, True)] * 9 + [Passed(26, 200, False)] * 91
    after = [Passed(31, 200, True)] * 50
    found = shares(course, [*before, *settling, *at_five, *at_ten, *after])
    assert found == [Share(5, 5.0, 100), Share(10, 9.0, 100)]


def test_a_weight_without_requests_has_no_share() -> None:
    assert shares([Change(0, "Progressing", 5), Change(10, "Succeeded", 0)], []) == []
