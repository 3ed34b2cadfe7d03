"""The load tester's own manifests and image, neither of which is part of what production gets."""

from pathlib import Path

from detour.loadtester import PROGRAMS
from tests.manifests.rendered import documents, the

FILE = "loadtester/loadtester.yaml"
DOCKERFILE = Path(__file__).parents[2] / "Dockerfile"


def test_the_service_is_where_canaries_written_for_flagger_look() -> None:
    service, deployment = the("Service", "flagger-loadtester", FILE), the("Deployment", "flagger-loadtester", FILE)
    assert "namespace" not in service["metadata"]
    (port,) = service["spec"]["ports"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert port["port"] == 80
    assert {"name": port["targetPort"], "containerPort": 8080} in container["ports"]
    assert service["spec"]["selector"].items() <= deployment["spec"]["template"]["metadata"]["labels"].items()


def test_the_pod_has_no_token_and_no_place_to_write_to() -> None:
    pod = the("Deployment", "flagger-loadtester", FILE)["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert "volumes" not in pod
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["args"][0] == "loadtester"
    assert {argument.removeprefix("--allow=") for argument in container["args"][1:]} <= set(PROGRAMS)


def test_it_is_bounded_and_reached_by_detour_and_its_own_namespace_alone() -> None:
    (container,) = the("Deployment", "flagger-loadtester", FILE)["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["limits"]["memory"]
    spec = the("NetworkPolicy", "flagger-loadtester", FILE)["spec"]
    assert spec["podSelector"] == the("Deployment", "flagger-loadtester", FILE)["spec"]["selector"]
    (rule,) = spec["ingress"]
    detour = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "detour"}}}
    assert rule == {"from": [{"podSelector": {}}, detour], "ports": [{"protocol": "TCP", "port": "http"}]}


def test_the_base_does_not_bring_the_load_tester() -> None:
    (base,) = documents("kustomization.yaml")
    assert not [resource for resource in base["resources"] if "loadtester" in resource]


def test_its_image_is_a_stage_that_is_built_only_when_it_is_named() -> None:
    stages = [line for line in DOCKERFILE.read_text().splitlines() if line.startswith("FROM ")]
    assert "FROM detour AS loadtester" in stages
    assert stages[-1] == "FROM detour"
