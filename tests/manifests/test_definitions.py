"""The definitions are Flagger's, explained: a user can read every field, and YAML written for Flagger fits."""

import re
from typing import Any

import pytest

from tests.manifests.rendered import MANIFESTS, definitions, documents, fields

OURS = ("CanaryPolicy", "Leader")

KEYWORDS = {
    *("description", "type", "format", "default", "enum", "pattern", "properties", "required", "items"),
    *("additionalProperties", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"),
    *("minProperties", "maxProperties", "x-kubernetes-validations", "x-kubernetes-int-or-string"),
    *("x-kubernetes-preserve-unknown-fields", "x-kubernetes-list-type", "x-kubernetes-list-map-keys"),
}
COLUMNS = {
    "Canary": [
        ("Status", ".status.phase", 0),
        ("Weight", ".status.canaryWeight", 0),
        ("Suspended", ".spec.suspend", 1),
        ("FailedChecks", ".status.failedChecks", 1),
        ("Interval", ".spec.analysis.interval", 1),
        ("Mirror", ".spec.analysis.mirror", 1),
        ("StepWeight", ".spec.analysis.stepWeight", 1),
        ("StepWeights", ".spec.analysis.stepWeights", 1),
        ("MaxWeight", ".spec.analysis.maxWeight", 1),
        ("LastTransitionTime", ".status.lastTransitionTime", 0),
    ],
    "MetricTemplate": [("Provider", ".spec.provider.type", 0)],
    "AlertProvider": [("Type", ".spec.type", 0)],
}
FLAGGER = {
    "Canary": """
        spec.provider spec.metricsServer spec.progressDeadlineSeconds spec.skipAnalysis spec.revertOnDeletion
        spec.suspend spec.targetRef.apiVersion spec.targetRef.kind spec.targetRef.name
        spec.autoscalerRef.name spec.autoscalerRef.primaryScalerQueries{}
        spec.autoscalerRef.primaryScalerReplicas.minReplicas spec.autoscalerRef.primaryScalerReplicas.maxReplicas
        spec.ingressRef.name spec.routeRef.name spec.upstreamRef.name spec.upstreamRef.namespace
        spec.service.name spec.service.port spec.service.portName spec.service.targetPort spec.service.appProtocol
        spec.service.portDiscovery spec.service.headless spec.service.trafficDistribution spec.service.timeout
        spec.service.backendTimeout spec.service.meshName spec.service.backends[] spec.service.hosts[]
        spec.service.delegation spec.service.gateways[] spec.service.gatewayRefs[].sectionName
        spec.service.match[].uri.prefix spec.service.match[].headers{}.regex spec.service.match[].withoutHeaders{}.exact
        spec.service.match[].queryParams{}.exact spec.service.retries.retryOn spec.service.rewrite.authority
        spec.service.headers.request.set{} spec.service.headers.response.remove[] spec.service.mirror[].backendRef.port
        spec.service.corsPolicy.allowOrigins[].regex spec.service.trafficPolicy.tls.mode
        spec.service.trafficPolicy.loadBalancer.consistentHash.httpCookie.ttl
        spec.service.trafficPolicy.outlierDetection.consecutive5xxErrors
        spec.service.trafficPolicy.connectionPool.http.http2MaxRequests
        spec.service.apex.labels{} spec.service.primary.annotations{} spec.service.canary.labels{}
        spec.service.unmanagedMetadata.annotations[] spec.service.unmanagedMetadata.labels[]
        spec.analysis.interval spec.analysis.threshold spec.analysis.iterations spec.analysis.maxWeight
        spec.analysis.stepWeight spec.analysis.stepWeights[] spec.analysis.stepWeightPromotion spec.analysis.mirror
        spec.analysis.mirrorWeight spec.analysis.primaryReadyThreshold spec.analysis.canaryReadyThreshold
        spec.analysis.match[].headers{}.suffix spec.analysis.match[].queryParams{}.regex
        spec.analysis.match[].sourceLabels{} spec.analysis.metrics[].name spec.analysis.metrics[].interval
        spec.analysis.metrics[].threshold spec.analysis.metrics[].thresholdRange.min
        spec.analysis.metrics[].thresholdRange.max spec.analysis.metrics[].query
        spec.analysis.metrics[].templateRef.namespace spec.analysis.metrics[].templateVariables{}
        spec.analysis.webhooks[].type spec.analysis.webhooks[].url spec.analysis.webhooks[].timeout
        spec.analysis.webhooks[].retries spec.analysis.webhooks[].disableTLS spec.analysis.webhooks[].muteAlert
        spec.analysis.webhooks[].metadata{} spec.analysis.alerts[].severity spec.analysis.alerts[].providerRef.namespace
        spec.analysis.sessionAffinity.cookieName spec.analysis.sessionAffinity.primaryCookieName
        spec.analysis.sessionAffinity.maxAge spec.analysis.sessionAffinity.domain spec.analysis.sessionAffinity.path
        spec.analysis.sessionAffinity.httpOnly spec.analysis.sessionAffinity.secure
        spec.analysis.sessionAffinity.sameSite spec.analysis.sessionAffinity.partitioned
        status.phase status.canaryWeight status.failedChecks status.iterations status.lastAppliedSpec
        status.lastPromotedSpec status.trackedConfigs{} status.lastTransitionTime status.sessionAffinityCookie
        status.primarySessionAffinityCookie status.previousSessionAffinityCookie status.conditions[].type
        status.conditions[].status status.conditions[].reason status.conditions[].message
        status.conditions[].lastUpdateTime status.conditions[].lastTransitionTime""",
    "MetricTemplate": """
        spec.query spec.provider.type spec.provider.address spec.provider.headers{}[] spec.provider.secretRef.name
        spec.provider.region spec.provider.insecureSkipVerify""",
    "AlertProvider": "spec.type spec.channel spec.username spec.address spec.proxy spec.secretRef.name",
}


def schema(kind: str) -> dict[str, Any]:
    found: dict[str, Any] = version(kind)["schema"]["openAPIV3Schema"]
    return found


def version(kind: str) -> dict[str, Any]:
    (found,) = definitions()[kind]["spec"]["versions"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("kind", [*FLAGGER, *OURS])
def test_every_field_has_a_type_and_a_description(kind: str) -> None:
    for path, field in fields(schema(kind)).items():
        assert "type" in field or field.get("x-kubernetes-int-or-string"), path
        scalar = path.endswith(("[]", "{}")) and field["type"] not in ("object", "array")
        if path != "metadata" and not scalar:  # the API server forbids a description of metadata
            assert field.get("description", "").endswith("."), path


@pytest.mark.parametrize("kind", [*FLAGGER, *OURS])
def test_a_schema_is_structural_down_to_the_last_field(kind: str) -> None:
    """What is not described is pruned, and nothing is let through undescribed."""
    for path, field in fields(schema(kind)).items():
        assert "x-kubernetes-preserve-unknown-fields" not in field, path
        if field.get("type") == "object" and path != "metadata":
            assert field.get("properties") or field.get("additionalProperties"), path
        if field.get("type") == "array":
            assert field.get("items"), path


def test_a_field_says_that_it_is_refused_exactly_if_it_is() -> None:
    analysis = fields(schema("Canary")["properties"]["spec"]["properties"]["analysis"])
    refused = "This version of Detour refuses it."
    assert {path for path, field in analysis.items() if refused in field.get("description", "")} == set()


@pytest.mark.parametrize("kind", [*FLAGGER, *OURS])
def test_a_schema_consists_of_known_keywords(kind: str) -> None:
    """A comma in an unquoted description makes its second half a keyword of its own, which the API server refuses."""
    for path, field in ({"": schema(kind)} | fields(schema(kind))).items():
        assert set(field) <= KEYWORDS, path


@pytest.mark.parametrize("kind", FLAGGER)
def test_every_field_of_flagger_is_there(kind: str) -> None:
    assert set(FLAGGER[kind].split()) <= set(fields(schema(kind)))


@pytest.mark.parametrize("kind", FLAGGER)
def test_names_and_columns_are_those_of_flagger(kind: str) -> None:
    definition, found = definitions()[kind], version(kind)
    assert (definition["spec"]["group"], found["name"]) == ("flagger.app", "v1beta1")
    assert definition["spec"]["scope"] == "Namespaced"
    assert definition["spec"]["names"]["categories"] == ["all"]
    assert found["subresources"] == {"status": {}}
    columns = found["additionalPrinterColumns"]
    assert [(c["name"], c["jsonPath"], c.get("priority", 0)) for c in columns] == COLUMNS[kind]


@pytest.mark.parametrize("kind", [*FLAGGER, *OURS])
def test_required_fields_exist(kind: str) -> None:
    for path, field in fields(schema(kind)).items():
        assert set(field.get("required", [])) <= set(field.get("properties", {})), path


def test_every_rule_says_what_to_do_in_a_message() -> None:
    found = 0
    for kind in (*FLAGGER, *OURS):
        for path, field in ({"": schema(kind)} | fields(schema(kind))).items():
            for rule in field.get("x-kubernetes-validations", []):
                assert len(rule["message"]) > 10, path
                found += 1
    assert found >= 40


@pytest.mark.parametrize("kind", [*FLAGGER, *OURS])
def test_a_rule_speaks_of_fields_that_are_there(kind: str) -> None:
    """The API server refuses a definition where one does not, and rules are copied from Canary to CanaryPolicy."""
    for path, field in ({"": schema(kind)} | fields(schema(kind))).items():
        known = {*fields(field), "metadata.name"}
        for rule in field.get("x-kubernetes-validations", []):
            named = re.findall(r"self((?:\.\??\w+\b(?!\())+)", rule["rule"])
            assert {name.replace("?", "")[1:] for name in named} <= known, f"{path}: {rule['rule']}"


def test_no_field_is_held_to_a_pattern_which_only_a_programmer_can_read() -> None:
    for kind in (*FLAGGER, *OURS):
        assert [path for path, field in fields(schema(kind)).items() if "pattern" in field] == []


def test_fields_that_detour_adds_are_optional() -> None:
    assert schema("Canary")["properties"]["spec"]["required"] == ["targetRef", "analysis"]
    assert "required" not in schema("Canary")["properties"]["status"]
    assert schema("Canary")["properties"]["spec"]["properties"]["analysis"]["required"] == ["interval", "threshold"]


def test_every_file_is_part_of_the_whole() -> None:
    for folder in ("base", "crds", "rbac", "policies"):
        (kustomization,) = documents(f"{folder}/kustomization.yaml")
        parts = (*kustomization.get("patches", ()), *kustomization.get("replacements", ()))
        named = {*kustomization["resources"], *(part["path"] for part in parts)}
        files = {file.name for file in (MANIFESTS / folder).glob("*.yaml")} - {"kustomization.yaml"}
        assert {name for name in named if name.endswith(".yaml")} == files
    (base,) = documents("base/kustomization.yaml")
    assert {"../crds", "../rbac", "../policies"} < set(base["resources"])
