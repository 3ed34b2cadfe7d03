"""What the analyzer remembers, where the definition of Canaries is Flagger's own and drops what it does not know."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from analyzer.cluster import Cluster
from analyzer.fields import SpecError
from analyzer.kube.client import Client
from analyzer.memory import SPEC, packed, unpacked
from analyzer.policy import canary_by, is_by_policy
from analyzer.remember import remember
from analyzer.spec import parse
from analyzer.status import Ending, Outcome, Phase, Status
from analyzer.stored import from_object, to_object

Object = dict[str, Any]

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
FLAGGERS = ("phase", "canaryWeight", "failedChecks", "iterations", "lastAppliedSpec", "lastPromotedSpec")
IN_FLIGHT = replace(
    Status().begin("a" * 64, "b" * 64, {"images": ["podinfo:2"], "by": "sue"}, NOW),
    weight=20,
    rejected=("c" * 64,),
    observed_generation=3,
    problem="waiting for the gate",
    ending=Ending(Outcome.CANCELLED, "sue took it back"),
)


class Api(Client):
    """Mock of an API server whose definition of Canaries knows these fields of the status."""

    def __init__(self, *known: str) -> None:
        super().__init__(None)
        self.known = known
        self.writes = 0

    def replace_status(self, resource: Any, body: Object) -> Object:
        """As the API server does it: what the definition does not know is dropped."""
        self.writes += 1
        status = {key: value for key, value in body["status"].items() if not self.known or key in self.known}
        metadata = {**body["metadata"], "resourceVersion": str(int(body["metadata"]["resourceVersion"]) + 1)}
        return {**body, "metadata": metadata, "status": status}


def remembered(api: Api, *statuses: Status) -> Status:
    """What is read after these were written, one after the other."""
    cluster = Cluster.follow(api, lambda _: None, "detour")
    found: Object = {"metadata": {"namespace": "shop", "name": "podinfo", "resourceVersion": "1"}, "spec": {}}
    for status in statuses:
        remember(cluster, {**found, "status": to_object(status, found.get("status") or {}, NOW)})
        found = cluster.canaries.get("shop", "podinfo") or {}
    return from_object(found)


def test_with_detours_definition_one_write_keeps_everything_as_it_is() -> None:
    api = Api()
    assert remembered(api, IN_FLIGHT) == IN_FLIGHT
    assert api.writes == 1


def test_with_flaggers_definition_everything_is_kept_in_one_piece() -> None:
    api = Api(*FLAGGERS, "lastTransitionTime", "conditions", "trackedConfigs")
    assert remembered(api, IN_FLIGHT) == IN_FLIGHT
    assert api.writes == 2, "the first shows what is dropped"


def test_from_then_on_one_write_is_enough() -> None:
    api = Api(*FLAGGERS, "lastTransitionTime", "conditions", "trackedConfigs")
    assert remembered(api, IN_FLIGHT, replace(IN_FLIGHT, weight=30), replace(IN_FLIGHT, weight=40)).weight == 40
    assert api.writes == 4


def test_what_flagger_writes_into_its_own_fields_is_read_as_ever() -> None:
    stored = packed(to_object(IN_FLIGHT, {}, NOW)) | {"phase": "Initializing"}
    assert from_object({"status": stored}).phase is Phase.INITIALIZING
    assert from_object({"status": stored}).revision == IN_FLIGHT.revision


@pytest.mark.parametrize("memory", ["", "{", "[]", "null"])
def test_a_memory_that_somebody_has_broken_counts_for_nothing(memory: str) -> None:
    status = {"phase": "Succeeded", "trackedConfigs": {"detour.dev/memory": memory}}
    assert from_object({"status": status}).revision == ""
    assert unpacked(status) == status


POLICY = {"metadata": {"name": "careful"}, "spec": {"analysis": {"stepWeight": 5}, "withoutRoutes": "wait"}}


def test_what_flaggers_definition_drops_from_the_canary_of_a_policy_is_carried_beside_it() -> None:
    given = canary_by(POLICY, {"metadata": {"name": "podinfo", "namespace": "shop", "uid": "1"}})
    whole = parse(given)
    del given["spec"]["withoutRoutes"]
    assert parse(given) == whole
    assert is_by_policy(given)


def test_what_it_drops_within_the_analysis_is_carried_too_and_an_edited_analysis_counts_as_it_stands() -> None:
    metrics = [{"name": "request-duration", "noData": "pass", "thresholdRange": {"max": 5}}]
    analysis = {"stepWeight": 5, "minRequests": 10, "metrics": metrics}
    spec = {"analysis": analysis, "withoutRoutes": "wait"}
    given = canary_by({**POLICY, "spec": spec}, {"metadata": {"name": "podinfo", "namespace": "shop", "uid": "1"}})
    whole = parse(given)
    assert [(metric["noData"], metric["minRequests"]) for metric in whole.metrics] == [("pass", 10)]
    dropped = {"stepWeight": 5, "metrics": [{"name": "request-duration", "thresholdRange": {"max": 5}}]}
    given["spec"] |= {"analysis": dropped}
    assert (parse(given), is_by_policy(given)) == (whole, True)
    given["spec"] |= {"analysis": {**dropped, "stepWeight": 50}}
    assert "noData" not in parse(given).metrics[0]
    assert not is_by_policy(given)


def test_an_annotation_that_cannot_be_read_is_named() -> None:
    canary = {"metadata": {"annotations": {SPEC: '{"threshold": 3}'}}, "spec": {}}
    with pytest.raises(SpecError, match="freezes or withoutRoutes or analysis"):
        parse(canary)
    assert not is_by_policy(canary)
