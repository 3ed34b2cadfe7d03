"""The node's settings, where one that is wrong would be found late."""

import json
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox import boot, cluster, images, layout, node, node_files, pki
from sandbox.layout import CHECKOUT, STATE, Ports

BINARIES: defaultdict[str, Path] = defaultdict(lambda: Path("/cache/program"))


def _addons() -> Iterator[dict[str, Any]]:
    for path in cluster.ADDONS.glob("*.yaml"):
        yield from yaml.safe_load_all(path.read_text())


def _files_of(component: str) -> dict[str, Any]:
    path = {"kubelet": node_files.KUBELET, "kube-proxy": node_files.PROXY}[component]
    settings: dict[str, Any] = json.loads(node_files.settings()[path])
    return settings


@pytest.fixture(autouse=True)
def _debian(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "debian", lambda program: f"/usr/bin/{program}")


def test_nothing_that_runs_depends_on_the_checkout_but_the_forwarder() -> None:
    components = node.components(BINARIES)
    assert len(components) == 7
    assert not [component.name for component in components if str(CHECKOUT) in json.dumps(component.as_json())]


def test_no_proxy_of_the_caller_reaches_a_component(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    for component in (*node.components(BINARIES), node.forwarder({7: "10.96.0.80:80"})):
        assert "HTTPS_PROXY" not in component.environment


def test_every_file_is_kept_below_the_state() -> None:
    assert all(path.is_relative_to(STATE) for path in node_files.settings())


def test_a_pod_that_was_killed_is_started_again_within_a_second() -> None:
    assert _files_of("kubelet")["crashLoopBackOff"] == {"maxContainerRestartPeriod": "1s"}
    assert _files_of("kubelet")["featureGates"]["KubeletCrashLoopBackOffMax"] is True


def test_no_image_is_ever_collected_since_it_could_not_be_pulled_again() -> None:
    assert _files_of("kubelet")["imageGCHighThresholdPercent"] == 100


def test_the_addons_claim_the_addresses_that_the_forwarder_dials() -> None:
    claimed = {
        manifest["metadata"]["name"]: manifest["spec"]["clusterIP"]
        for manifest in _addons()
        if manifest["kind"] == "Service" and "clusterIP" in manifest["spec"]
    }
    assert claimed == {
        "kube-dns": layout.DNS_ADDRESS,
        "traefik": layout.INGRESS_ADDRESS,
        "prometheus": layout.PROMETHEUS_ADDRESS,
    }


ADDONS = (images.COREDNS, images.TRAEFIK, images.PROMETHEUS, images.METRICS_SERVER)


def test_the_images_of_the_addons_are_those_that_are_made() -> None:
    used = {
        container["image"]
        for manifest in _addons()
        if manifest["kind"] == "Deployment"
        for container in manifest["spec"]["template"]["spec"]["containers"]
    }
    assert used == {name.rpartition(":")[0] for name in ADDONS}


def test_another_port_or_another_program_is_another_node() -> None:
    fingerprint = boot.fingerprint(BINARIES, Ports())
    assert boot.fingerprint(BINARIES, Ports()) == fingerprint
    assert boot.fingerprint(BINARIES, Ports(http=18080)) != fingerprint
    assert boot.fingerprint({**dict.fromkeys(_programs(), Path("/cache/newer"))}, Ports()) != fingerprint


def _programs() -> list[str]:
    node.components(BINARIES)
    return list(BINARIES)


def test_the_certificates_are_signed_for_every_name_of_the_api_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pki, "DIRECTORY", tmp_path)
    monkeypatch.setattr(pki, "SERVICE_ACCOUNT_KEY", tmp_path / "key")
    monkeypatch.setattr(pki, "SERVICE_ACCOUNT_PUBLIC_KEY", tmp_path / "pub")
    pki.create()
    for name in ("127.0.0.1", layout.NODE_ADDRESS, layout.KUBERNETES_ADDRESS):
        _verify(tmp_path, "api-server", "-purpose", "sslserver", "-verify_ip", name)
    for name in ("kubernetes.default.svc", "localhost"):
        _verify(tmp_path, "api-server", "-purpose", "sslserver", "-verify_hostname", name)
    _verify(tmp_path, "api-server-as-client", "-purpose", "sslclient")


def _verify(folder: Path, name: str, *checks: str) -> None:
    command = ["openssl", "verify", "-CAfile", str(folder / "ca.crt"), *checks, str(folder / f"{name}.crt")]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
