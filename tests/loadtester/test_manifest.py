"""The load tester's own manifests and image, neither of which is part of what production gets."""

import re
from pathlib import Path
from typing import Any

from detour.loadtester import PROGRAMS
from tests.charts.generated import schema
from tests.manifests.rendered import documents, the

FILE, KEPT = "loadtester/loadtester.yaml", "loadtester/gates.yaml"
GATES = "flagger-loadtester-gates"
DOCKERFILE = Path(__file__).parents[2] / "Dockerfile"


def test_the_service_is_where_canaries_written_for_flagger_look() -> None:
    service, deployment = the("Service", "flagger-loadtester", FILE), the("Deployment", "flagger-loadtester", FILE)
    assert "namespace" not in service["metadata"]
    (port,) = service["spec"]["ports"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert port["port"] == 80
    assert {"name": port["targetPort"], "containerPort": 8080} in container["ports"]
    assert service["spec"]["selector"].items() <= deployment["spec"]["template"]["metadata"]["labels"].items()


def pod(file: str = FILE) -> dict[str, Any]:
    spec: dict[str, Any] = the("Deployment", "flagger-loadtester", file)["spec"]["template"]["spec"]
    return spec


def test_the_pod_has_no_place_to_write_to_and_runs_what_the_program_knows() -> None:
    (container,) = pod()["containers"]
    assert "volumes" not in pod()
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["args"][0] == "loadtester"
    allowed = {said.removeprefix("--allow=") for said in container["args"] if said.startswith("--allow=")}
    assert allowed <= set(PROGRAMS)
    assert allowed == set(schema("loadtester")["properties"]["allow"]["default"])


def test_its_token_is_good_for_its_gates_and_for_nothing_else() -> None:
    role, binding = the("Role", GATES, KEPT), the("RoleBinding", GATES, KEPT)
    (rule,) = role["rules"]
    assert rule == {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": [GATES], "verbs": ["get", "patch"]}
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    (subject,) = binding["subjects"]
    assert subject == {"kind": "ServiceAccount", "name": pod()["serviceAccountName"]}
    assert the("ServiceAccount", pod()["serviceAccountName"], KEPT)["automountServiceAccountToken"] is False
    assert f"--gates-in=$(POD_NAMESPACE)/{GATES}" in pod()["containers"][0]["args"]


def test_applying_the_manifests_again_leaves_gates_as_they_are() -> None:
    assert the("ConfigMap", GATES, KEPT).keys() == {"apiVersion", "kind", "metadata"}


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


def test_its_image_has_what_its_manifest_allows() -> None:
    (installed,) = re.findall(r"--no-install-recommends (bats .*) \\", DOCKERFILE.read_text())
    allowed = {said.removeprefix("--allow=") for said in pod()["containers"][0]["args"] if said.startswith("--allow=")}
    assert allowed - {"grep"} <= set(installed.split())  # grep is essential: every Debian has it
