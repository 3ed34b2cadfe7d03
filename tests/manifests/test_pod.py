"""One pod, two containers: the one that everybody can reach has no rights, and nothing of it touches a disk."""

from typing import Any

import pytest

from tests.manifests.rendered import documents, the

TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount"
CERTIFICATES = "/run/detour/tls"
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


def pod() -> dict[str, Any]:
    found: dict[str, Any] = the("Deployment", "detour", "base/deployment.yaml")["spec"]["template"]["spec"]
    return found


def container(name: str) -> dict[str, Any]:
    (found,) = [c for c in pod()["containers"] if c["name"] == name]
    assert isinstance(found, dict)
    return found


def mounts(name: str) -> dict[str, dict[str, Any]]:
    return {mount["mountPath"]: mount for mount in container(name)["volumeMounts"]}


def test_only_the_analyzer_has_a_token() -> None:
    assert pod()["automountServiceAccountToken"] is False
    assert TOKEN in mounts("analyzer")
    assert {mount["name"] for mount in mounts("webhook").values()} == {"certificates", "scratch"}
    (token,) = [v for v in pod()["volumes"] if v["name"] == mounts("analyzer")[TOKEN]["name"]]
    assert [next(iter(source)) for source in token["projected"]["sources"]] == [
        "serviceAccountToken",
        "configMap",
        "downwardAPI",
    ]


def test_the_analyzer_writes_the_certificate_and_the_webhook_only_reads_it() -> None:
    assert not mounts("analyzer")[CERTIFICATES].get("readOnly")
    assert mounts("webhook")[CERTIFICATES]["readOnly"]
    for name in ("webhook", "analyzer"):
        assert f"--certificates={CERTIFICATES}" in container(name)["args"]


def test_every_volume_that_can_be_written_is_memory_and_limited() -> None:
    writable = [volume["emptyDir"] for volume in pod()["volumes"] if "emptyDir" in volume]
    assert len(writable) == 2
    for volume in writable:
        assert volume["medium"] == "Memory"
        assert volume["sizeLimit"]


@pytest.mark.parametrize("name", ["webhook", "analyzer"])
def test_a_container_is_locked_down(name: str) -> None:
    assert container(name)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod()["securityContext"]["runAsNonRoot"] is True
    assert pod()["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (namespace,) = documents("base/namespace.yaml")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_probes_and_the_service_name_ports_that_exist_once() -> None:
    names = [port["name"] for c in pod()["containers"] for port in c["ports"]]
    assert len(set(names)) == len(names)
    for c in pod()["containers"]:
        own = {port["name"] for port in c["ports"]}
        probes = [c[kind]["httpGet"]["port"] for kind in PROBES if kind in c]
        assert set(probes) <= own
    (port,) = the("Service", "detour", "base/deployment.yaml")["spec"]["ports"]
    assert (port["port"], port["targetPort"]) == (443, "webhook")
    assert {"name": "webhook", "containerPort": 8443} in container("webhook")["ports"]


def test_the_service_selects_the_pod() -> None:
    selector = the("Service", "detour", "base/deployment.yaml")["spec"]["selector"]
    labels = the("Deployment", "detour", "base/deployment.yaml")["spec"]["template"]["metadata"]["labels"]
    assert selector.items() <= labels.items()


def test_the_webhook_knows_the_analyzer_by_the_account_that_the_pod_runs_as() -> None:
    assert "--analyzer=system:serviceaccount:$(POD_NAMESPACE):$(POD_SERVICE_ACCOUNT)" in container("webhook")["args"]
    (account,) = [e for e in container("webhook")["env"] if e["name"] == "POD_SERVICE_ACCOUNT"]
    assert account["valueFrom"]["fieldRef"]["fieldPath"] == "spec.serviceAccountName"
    assert pod()["serviceAccountName"] == "detour-analyzer"


def test_the_pod_is_connected_to_by_its_ports_alone_and_all_but_the_webhooks_by_pods() -> None:
    spec = the("NetworkPolicy", "detour", "base/network.yaml")["spec"]
    labels = the("Deployment", "detour", "base/deployment.yaml")["spec"]["template"]["metadata"]["labels"]
    assert spec["podSelector"]["matchLabels"].items() <= labels.items()
    assert spec["policyTypes"] == ["Ingress"]
    anybody, pods = spec["ingress"]
    assert anybody == {"ports": [{"protocol": "TCP", "port": "webhook"}]}
    assert pods["from"] == [{"namespaceSelector": {}}]
    open_ports = {port["port"] for rule in spec["ingress"] for port in rule["ports"]}
    assert open_ports == {port["name"] for c in pod()["containers"] for port in c["ports"]}
    (base,) = documents("base/kustomization.yaml")
    assert "network.yaml" in base["resources"]


@pytest.mark.parametrize("name", ["webhook", "analyzer"])
def test_a_container_asks_for_what_it_needs_and_its_memory_alone_is_bounded(name: str) -> None:
    resources = container(name)["resources"]
    assert set(resources["requests"]) == {"cpu", "memory"}
    assert resources["limits"] == {"memory": "1Gi"}
