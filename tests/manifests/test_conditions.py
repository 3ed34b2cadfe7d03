"""The matchConditions on a real API server.

A configuration with the same conditions, whose webhook nobody answers, tells by its refusal which requests would have
been shown to Detour. Every command is a dry run.
"""

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.manifests.kubectl import kubectl
from tests.manifests.rendered import the

pytestmark = pytest.mark.cluster

NAMESPACE = f"conditions-of-detour-{os.getpid()}"  # sorts, and so is called, before Detour's own
TRIAL = f"{NAMESPACE}.detour.dev"
DRY = "--dry-run=server"


def deployment(name: str, image: str = "web:1", **metadata: Any) -> dict[str, Any]:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": image}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": NAMESPACE} | metadata,
        "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": template},
    }


def trial() -> dict[str, Any]:
    configuration = the("MutatingWebhookConfiguration", "zz-detour", "base/webhook.yaml")
    webhook = configuration["webhooks"][0] | {"name": TRIAL, "clientConfig": {"url": "https://127.0.0.1:1/"}}
    requirement = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": [NAMESPACE]}
    webhook |= {"objectSelector": {}, "namespaceSelector": {"matchExpressions": [requirement]}}
    return configuration | {"metadata": {"name": TRIAL}, "webhooks": [webhook]}


def shown(*arguments: str, given: dict[str, Any] | None = None) -> bool:
    """Would Detour have been asked about this request? Anything else that refuses it fails the test."""
    answer = kubectl("-n", NAMESPACE, *arguments, DRY, given=given)
    refused = f'failed calling webhook "{TRIAL}"' in answer.stderr
    assert refused or answer.returncode == 0, answer.stderr
    return refused


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    try:
        for given in (
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
            deployment("plain"),
            deployment("diverted", annotations={"detour.dev/template": "{}"}, labels={"detour.dev/revision": "1"}),
            deployment("canary", labels={"detour.dev/canary-of": "plain", "detour.dev/revision": "1"}),
        ):
            made = kubectl("apply", "-f", "-", given=given)
            assert made.returncode == 0, made.stderr
        made = kubectl("apply", "-f", "-", given=trial())
        assert made.returncode == 0, made.stderr
        deadline = time.monotonic() + 30
        while not shown("set", "image", "deployment/plain", "web=web:2"):
            assert time.monotonic() < deadline, "the API server does not take notice of the configuration"
            time.sleep(0.2)
        yield
    finally:
        kubectl("delete", "mutatingwebhookconfiguration", TRIAL, "--ignore-not-found")
        kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=false")


@pytest.mark.parametrize(
    "command",
    [
        "set image deployment/plain web=web:2",
        "set env deployment/plain A=1",
        "label deployment/plain detour.dev/policy=default",
        "label deployment/plain detour.dev/canary-of=me",
        "annotate deployment/plain detour.dev/promote=go:1",
        "label deployment/diverted detour.dev/revision-",
        "label deployment/diverted detour.dev/revision=2 --overwrite",
        "annotate deployment/diverted detour.dev/template-",
        "annotate deployment/diverted detour.dev/template=[] --overwrite",
        "set image deployment/plain web=web:2 --field-manager=detour-bypasser",
    ],
)
def test_an_update_that_may_concern_detour_is_shown(command: str) -> None:
    assert shown(*command.split())


@pytest.mark.parametrize(
    "command",
    [
        "scale deployment/plain --replicas=2",
        "scale deployment/diverted --replicas=2",
        "label deployment/plain colour=red",
        "annotate deployment/diverted note=x",
        "label deployment/diverted colour=red",
        'patch deployment/plain -p {"spec":{"replicas":3}}',
        "set image deployment/plain web=web:1",
        "set image deployment/canary web=web:2 --as=system:serviceaccount:detour:detour-analyzer",
        "label deployment/canary detour.dev/revision=2 --overwrite",
        "set image deployment/plain web=web:2 --field-manager=detour-bypass",
    ],
)
def test_an_update_that_cannot_concern_detour_never_leaves_the_api_server(command: str) -> None:
    assert not shown(*command.split())


def test_the_bypass_is_for_those_who_have_the_right_only() -> None:
    """Any ServiceAccount of the namespace lacks it; the analyzer may patch Deployments, and lacks it, too."""
    analyzer = "--as=system:serviceaccount:detour:detour-analyzer"
    assert shown("set", "image", "deployment/plain", "web=web:2", "--field-manager=detour-bypass", analyzer)


def test_a_creation_is_shown_only_when_it_brings_keys_of_ours() -> None:
    def creating(**metadata: Any) -> bool:
        return shown("create", "-f", "-", given=deployment("fresh", **metadata))

    assert not creating()
    assert not creating(labels={"app": "fresh", "detour.dev/policy": "none"})
    assert not creating(annotations={"note": "x"})
    assert creating(annotations={"detour.dev/template": "{}"})
    assert creating(labels={"detour.dev/policy": "none", "detour.dev/state": "rejected"})
    assert not creating(labels={"detour.dev/canary-of": "plain"}, annotations={"detour.dev/digest": "1"})


def test_somebody_who_applies_a_manifest_is_shown_while_something_is_diverted() -> None:
    def applying(name: str, *options: str, **metadata: Any) -> bool:
        return shown("apply", *options, "-f", "-", given=deployment(name, **metadata))

    keys: dict[str, Any] = {
        "annotations": {"detour.dev/template": "{}"},
        "labels": {"detour.dev/revision": "1"},
    }
    assert not applying("diverted", **keys), "the same manifest again changes nothing"
    assert applying("diverted", **keys | {"annotations": keys["annotations"] | {"note": "x"}})
    assert applying("diverted", "--server-side", "--force-conflicts", "--field-manager=gitops", **keys)
    assert not applying("plain", annotations={"note": "x"})
    assert not applying("plain", "--server-side", "--force-conflicts", "--field-manager=gitops")
