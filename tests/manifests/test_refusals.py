"""What a real API server says to Canaries: yes to Flagger's YAML, and a sentence that helps to everything else."""

import copy
import re
from typing import Any

import pytest

from tests.manifests.kubectl import kubectl

pytestmark = pytest.mark.cluster

CANARY: dict[str, Any] = {
    "apiVersion": "flagger.app/v1beta1",
    "kind": "Canary",
    "metadata": {"name": "refusals", "namespace": "default"},
    "spec": {
        "provider": "nginx",
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "ingressRef": {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": "web"},
        "progressDeadlineSeconds": 60,
        "service": {"port": 80, "portName": "http", "targetPort": "web"},
        "analysis": {
            "interval": "10s",
            "threshold": 3,
            "maxWeight": 50,
            "stepWeight": 5,
            "metrics": [
                {
                    "name": "rate",
                    "interval": "10s",
                    "templateRef": {"name": "rate", "namespace": "default"},
                    "thresholdRange": {"min": 99},
                },
                {"name": "request-duration", "interval": "1m", "thresholdRange": {"max": 500.5}},
            ],
            "webhooks": [
                {
                    "name": "load",
                    "type": "rollout",
                    "url": "http://loadtester.test/",
                    "timeout": "5s",
                    "metadata": {"cmd": "hey http://web"},
                }
            ],
            "alerts": [{"name": "chat", "severity": "error", "providerRef": {"name": "chat"}}],
        },
    },
}


def with_value(path: str, value: Any) -> dict[str, Any]:
    """The Canary with one field of its spec set, or removed where the value is None."""
    canary = copy.deepcopy(CANARY)
    *parents, last = path.split(".")
    found: Any = canary["spec"]
    for name in parents:
        found = found[int(name)] if name.isdigit() else found[name]
    found[last] = value
    if value is None:
        del found[last]
    return canary


def said(canary: dict[str, Any]) -> str:
    answer = kubectl("create", "--dry-run=server", "--validate=strict", "-f", "-", given=canary)
    return answer.stderr if answer.returncode else ""


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("provider", "nginx"),
        ("analysis.interval", "1s"),
        ("analysis.interval", "1m30s"),
        ("analysis.threshold", 0),
        ("service.targetPort", 8080),
        ("targetRef.kind", "DaemonSet"),
        ("skipAnalysis", True),
    ],
)
def test_a_canary_is_accepted(path: str, value: Any) -> None:
    assert said(with_value(path, value)) == ""


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("analysis.interval", "0s", "spec.analysis.interval: .* must be a duration of at least 1s, such as 30s"),
        ("analysis.interval", "10x", "spec.analysis.interval: .* must be a duration of at least 1s, such as 30s"),
        ("analysis.interval", None, "spec.analysis.interval: Required value"),
        ("analysis.threshold", None, "spec.analysis.threshold: Required value"),
        ("analysis.stepWeight", None, "set exactly one of stepWeight .* stepWeights .* and iterations"),
        ("analysis.iterations", 3, "set exactly one of stepWeight .* stepWeights .* and iterations"),
        ("analysis.stepWeight", 101, "spec.analysis.stepWeight: .* less than or equal to 100"),
        ("analysis.metrics.0.thresholdRange.max", 9, "thresholdRange: .* min must not be greater than max"),
        ("analysis.webhooks.0.url", "ftp://x", r"webhooks\[0\].url: .* should match '\^https\?://'"),
        ("analysis.webhooks.0.type", "before", r"webhooks\[0\].type: Unsupported value: \"before\": supported values"),
        ("analysis.stepWeigth", 5, 'unknown field "spec.analysis.stepWeigth"'),
        ("targetRef", None, "spec.targetRef: Required value"),
        ("targetRef.kind", "StatefulSet", 'spec.targetRef.kind: Unsupported value: "StatefulSet"'),
        ("service.port", 70000, "spec.service.port: .* less than or equal to 65535"),
        ("provider", "haproxy", 'spec.provider: Unsupported value: "haproxy": supported values: .*nginx'),
    ],
)
def test_a_canary_is_refused_with_the_field_and_the_remedy(path: str, value: Any, sentence: str) -> None:
    assert re.search(sentence, said(with_value(path, value)))
