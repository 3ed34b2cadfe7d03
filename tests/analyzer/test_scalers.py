"""Autoscalers as objects: which one scales what, and what its copy for a canary says."""

from typing import Any

import pytest

from analyzer.fields import SpecError
from analyzer.scalers import Reference, copy_for, is_scaled, least_of, parse, unfit
from tests.analyzer.objects import deployment

PRIMARY = deployment("podinfo")
CANARY = {"metadata": {"name": "podinfo-canary", "namespace": "shop", "uid": "uid-of-canary"}}
HPA = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "name": "podinfo"}
KEDA = {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "name": "podinfo"}


def autoscaler(target: str = "podinfo", kind: str = "Deployment", **spec: Any) -> dict[str, Any]:
    target_of = {"apiVersion": "apps/v1", "kind": kind, "name": target}
    limits = {"minReplicas": 3, "maxReplicas": 8, "metrics": [{"type": "Resource"}], "behavior": {"scaleUp": {}}}
    metadata = {"name": "podinfo", "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}}
    return {
        "kind": "HorizontalPodAutoscaler",
        "metadata": metadata,
        "spec": {"scaleTargetRef": target_of, **limits, **spec},
    }


def scaled_object(query: str = "", **spec: Any) -> dict[str, Any]:
    trigger = {"type": "prometheus", "name": "load", "metadata": {"query": query, "threshold": "5"}}
    whole = {"scaleTargetRef": {"name": "podinfo"}, "triggers": [trigger], **spec}
    return {"kind": "ScaledObject", "metadata": {"name": "podinfo"}, "spec": whole}


# The reference


def test_no_reference_is_none() -> None:
    assert parse(None) is None


def test_an_autoscaler_of_todays_version_has_nothing_to_be_said_of() -> None:
    assert parse(HPA) == Reference("HorizontalPodAutoscaler", "podinfo")
    assert parse(KEDA) == Reference("ScaledObject", "podinfo")


@pytest.mark.parametrize("version", ["autoscaling/v2beta2", "autoscaling/v2beta1", "autoscaling/v1"])
def test_an_older_version_is_read_as_the_present_one_with_a_note(version: str) -> None:
    found = parse({**HPA, "apiVersion": version})
    assert found
    assert found.notes == (f"spec.autoscalerRef.apiVersion: {version} is read as autoscaling/v2; write that",)


@pytest.mark.parametrize("key", ["primaryScalerQueries", "primaryScalerReplicas"])
def test_what_flaggers_copy_of_the_primary_needs_has_no_effect_and_a_note_says_so(key: str) -> None:
    found = parse({**KEDA, key: {"load": "up"}})
    assert found
    assert found.notes[0].startswith(f"spec.autoscalerRef.{key} has no effect: ScaledObject podinfo goes on")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"kind": "VerticalPodAutoscaler"}, "kind"),
        ({"name": ""}, "name"),
        ({"apiVersion": "keda.sh/v1alpha1"}, "apiVersion"),
        ({"apiVersion": ""}, "apiVersion"),
    ],
)
def test_what_is_no_autoscaler_is_refused_by_the_name_of_the_field(changed: dict[str, str], field: str) -> None:
    with pytest.raises(SpecError) as raised:
        parse({**HPA, **changed})
    assert raised.value.field == f"spec.autoscalerRef.{field}"


# Who scales whom


def test_a_deployment_is_scaled_by_an_autoscaler_with_it_as_its_target() -> None:
    assert is_scaled(PRIMARY, [autoscaler("other"), autoscaler()])
    assert not is_scaled(PRIMARY, [autoscaler("other"), autoscaler(kind="StatefulSet")])
    assert not is_scaled(PRIMARY, [])


def test_an_autoscaler_that_is_not_there_or_scales_another_is_not_copied() -> None:
    reference = Reference("HorizontalPodAutoscaler", "podinfo")
    assert unfit(reference, None, PRIMARY).startswith("HorizontalPodAutoscaler podinfo does not exist: create it")
    assert "does not scale Deployment podinfo" in unfit(reference, autoscaler("other"), PRIMARY)
    assert unfit(reference, autoscaler(), PRIMARY) == ""
    assert unfit(Reference("ScaledObject", "podinfo"), scaled_object(), PRIMARY) == ""


# The copy


def test_a_copy_scales_the_canary_by_the_same_metrics_between_its_share_and_the_users_maximum() -> None:
    made = copy_for(CANARY, PRIMARY, autoscaler(), 2)
    assert made["spec"] == {
        **autoscaler()["spec"],
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo-canary"},
        "minReplicas": 2,
    }
    assert (made["apiVersion"], made["metadata"]["name"]) == ("autoscaling/v2", "podinfo-canary")
    assert least_of(made) == 2


def test_a_copy_goes_with_the_canary_and_has_none_of_the_users_bookkeeping() -> None:
    metadata = copy_for(CANARY, PRIMARY, autoscaler(), 2)["metadata"]
    assert [owner["uid"] for owner in metadata["ownerReferences"]] == ["uid-of-canary"]
    assert metadata["labels"] == {"detour.dev/canary-of": "podinfo"}
    assert "annotations" not in metadata


def test_a_maximum_is_never_below_the_minimum() -> None:
    assert copy_for(CANARY, PRIMARY, autoscaler(maxReplicas=2), 5)["spec"]["maxReplicas"] == 5
    assert copy_for(CANARY, PRIMARY, scaled_object(maxReplicaCount=2), 5)["spec"]["maxReplicaCount"] == 5


def test_a_copied_scaled_object_has_nothing_that_there_can_be_one_of_only() -> None:
    advanced = {
        "horizontalPodAutoscalerConfig": {"name": "mine", "behavior": {}},
        "restoreToOriginalReplicaCount": True,
    }
    spec = copy_for(CANARY, PRIMARY, scaled_object(advanced=advanced, idleReplicaCount=0), 2)["spec"]
    assert spec["advanced"] == {
        "horizontalPodAutoscalerConfig": {"behavior": {}},
        "restoreToOriginalReplicaCount": True,
    }
    assert "idleReplicaCount" not in spec
    assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (2, 100)


@pytest.mark.parametrize(
    ("query", "means"),
    [
        ('sum(rate(hits{app="podinfo"}[1m]))', 'sum(rate(hits{app="podinfo-canary"}[1m]))'),
        ('hits{pod=~"podinfo-[0-9a-z]+-.*"}', 'hits{pod=~"podinfo-canary-[0-9a-z]+-.*"}'),
        ('hits{pod=~"podinfo-.*"}', 'hits{pod=~"podinfo-canary-.*"}'),
        ('hits{namespace="podinfo",app="podinfo"}', 'hits{namespace="podinfo",app="podinfo-canary"}'),
        ('hits{app="podinfo-shop"}', 'hits{app="podinfo-shop"}'),
        ('hits{app="podinfo-canary"}', 'hits{app="podinfo-canary"}'),
        ('hits{app="my-podinfo"}', 'hits{app="my-podinfo"}'),
        ("podinfo_hits_total", "podinfo_hits_total"),
    ],
)
def test_a_query_means_the_canary_where_it_names_the_primary(query: str, means: str) -> None:
    (trigger,) = copy_for(CANARY, PRIMARY, scaled_object(query), 2)["spec"]["triggers"]
    assert trigger["metadata"] == {"query": means, "threshold": "5"}


def test_a_trigger_without_a_query_is_as_it_was() -> None:
    cpu = {"type": "cpu", "metricType": "Utilization", "metadata": {"value": "60"}}
    assert copy_for(CANARY, PRIMARY, scaled_object(triggers=[cpu]), 2)["spec"]["triggers"] == [cpu]
