"""What a real API server says to MetricTemplates, AlertProviders and CanaryPolicies that could not be carried out."""

import re
from typing import Any

import pytest

from tests.manifests.test_refusals import CANARY, said

pytestmark = pytest.mark.cluster

METRIC_TEMPLATE: dict[str, Any] = {
    "apiVersion": "flagger.app/v1beta1",
    "kind": "MetricTemplate",
    "metadata": {"name": "refusals", "namespace": "default"},
    "spec": {"query": "vector(1)", "provider": {"type": "prometheus", "address": "http://prometheus.example:9090/p"}},
}


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ({"query": ""}, "spec.query: .* at least 1 char"),
        ({"query": "  "}, "spec.query: .* must be a query, and is blank"),
        (
            {"provider": {"type": "promeseus"}},
            'spec.provider.type: Unsupported value: "promeseus": supported values: "prom',
        ),
        ({"provider": {"type": "prometheus"}}, "spec.provider.address: .* needs an address, such as http://prometheus"),
        ({"provider": {"type": "prometheus", "address": "prom:9090"}}, "spec.provider.address: .* needs an address"),
        ({"provider": {"type": "prometheus", "address": "ftp://prom"}}, "spec.provider.address: .* needs an address"),
        ({"provider": {"type": "datadog", "secretRef": {"name": ""}}}, "spec.provider.secretRef.name: .* at least 1"),
        (
            {"provider": {"type": "datadog"}},
            "spec.provider.secretRef: .* datadog, .* need credentials, name their Secret",
        ),
        (
            {"provider": {"type": "splunk", "secretRef": {"name": "a"}}},
            "spec.provider.address: .* splunk need the address",
        ),
        (
            {"provider": {"type": "cloudwatch"}},
            "spec.provider.region: .* cloudwatch needs a region, such as eu-central-1",
        ),
    ],
)
def test_a_metric_template_is_refused_with_the_field_and_the_remedy(spec: dict[str, Any], sentence: str) -> None:
    assert said(METRIC_TEMPLATE) == ""
    assert re.search(sentence, said(METRIC_TEMPLATE | {"spec": METRIC_TEMPLATE["spec"] | spec}))


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ({}, "spec: .* set exactly one of address and secretRef"),
        (
            {"address": "https://a.test/", "secretRef": {"name": "a"}},
            "spec: .* set exactly one of address and secretRef",
        ),
        ({"address": "#alerts"}, "spec.address: .* must be an address, such as https://hooks.slack.com/services/"),
        (
            {"address": "https://a.test/", "type": "irc"},
            'spec.type: Unsupported value: "irc": supported values: "slack"',
        ),
        (
            {"address": "https://a.test/", "proxy": "proxy:3128"},
            "spec.proxy: .* must be an address, such as http://proxy.example:3128",
        ),
    ],
)
def test_an_alert_provider_is_refused_with_the_field_and_the_remedy(spec: dict[str, Any], sentence: str) -> None:
    provider = METRIC_TEMPLATE | {"kind": "AlertProvider"}
    for kind in ("slack", "msteams", "discord", "rocket", "gchat", "webhook"):
        good = {"type": kind, "address": "https://a.test/services/T/B/x", "proxy": "http://proxy.example:3128"}
        assert said(provider | {"spec": good}) == ""
    assert re.search(sentence, said(provider | {"spec": {"type": "slack"} | spec}))


@pytest.mark.parametrize(
    ("name", "analysis", "sentence"),
    [
        ("none", {}, "metadata.name: the label detour.dev/policy means something else by 'none' and 'canary'"),
        ("p" * 64, {}, "metadata.name: it is the value of a label, which has at most 63 characters; choose another"),
        ("fits", {"stepWeight": 0}, "spec.analysis.stepWeight: .*0 would never give the canary any traffic"),
        ("fits", {"interval": "soon"}, "spec.analysis.interval: .* must be a duration from 1s to 720h"),
        ("fits", {"iterations": 3}, "set exactly one of stepWeight .* stepWeights .* and iterations"),
    ],
)
def test_a_policy_is_held_to_what_a_canary_is(name: str, analysis: dict[str, Any], sentence: str) -> None:
    spec = {"analysis": {"interval": "10s", "threshold": 1, "stepWeight": 10} | analysis}
    policy = {"apiVersion": "detour.dev/v1alpha1", "kind": "CanaryPolicy", "metadata": {"name": name}, "spec": spec}
    assert re.search(sentence, said(policy))
    assert said(policy | {"metadata": {"name": "fits"}, "spec": {"analysis": CANARY["spec"]["analysis"]}}) == ""
