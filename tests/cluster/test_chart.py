"""Detour installed by Helm, in place of the installation by kustomize, which is put back at the end."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox import images
from tests.charts.rendering import CHARTS, HELM, programs
from tests.cluster.installing import install
from tests.cluster.kubectl import KUBECONFIG, Object, Said, eventually, get, kubectl
from tests.cluster.namespaces import namespace
from tests.cluster.shop import OpenShop
from tests.cluster.users import Users

NEW = CHARTS / "detour"
NEWEST = max(HELM)
WAIT = ("--wait", "--timeout=120s")
SERVER_SIDE = ("--server-side=true", "--force-conflicts")
HOW: dict[int, tuple[str, ...]] = {3: (), 4: SERVER_SIDE}
PROMETHEUS = ["--set=prometheus.install=true", f"--set=prometheus.image={images.PROMETHEUS}"]
BUILT_IN = {
    "interval": "4s",
    "threshold": 5,
    "stepWeight": 50,
    "maxWeight": 50,
    "metrics": [{"name": "request-success-rate", "interval": "15s", "thresholdRange": {"min": 99}}],
}

Upgrade = Callable[..., Said]


def helm(version: int, *arguments: str, check: bool = True) -> Said:
    """What Helm said; with `check`, a failure is the test's."""
    command = [str(programs()[f"helm{version}"]), *arguments, f"--kubeconfig={KUBECONFIG}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    if check and done.returncode:
        raise AssertionError(f"helm{version} {' '.join(arguments)}\n{done.stdout}{done.stderr}")
    return Said(done.stdout, done.stderr, done.returncode)


def upgrade(version: int, *options: str, chart: Path = NEW) -> Said:
    """As in the post, with `-i`."""
    return helm(version, "upgrade", "-i", "detour", str(chart), "--namespace=detour", *options)


@pytest.fixture(scope="module")
def released() -> Iterator[None]:
    """What kustomize has installed, taken over by Helm; in the end kustomize's alone again."""
    upgrade(NEWEST, *SERVER_SIDE, "--take-ownership", *WAIT)
    try:
        yield
    finally:
        helm(NEWEST, "uninstall", "detour", "--namespace=detour", "--wait", check=False)
        install()


def configuration() -> Object:
    return get("mutatingwebhookconfiguration", "zz-detour", "--show-managed-fields")


def ca_bundles() -> list[str]:
    return [hook["clientConfig"].get("caBundle", "") for hook in configuration()["webhooks"]]


def described() -> str:
    """What the definition of Canary says that it is."""
    version = get("customresourcedefinition", "canaries.flagger.app")["spec"]["versions"][0]
    return str(version["schema"]["openAPIV3Schema"]["description"])


@pytest.mark.alone
@pytest.mark.usefixtures("released")
def test_helm_test_sees_that_the_webhook_diverts_and_an_analyzer_leads() -> None:
    said = helm(NEWEST, "test", "detour", "--namespace=detour")
    assert "Succeeded" in said.out


@pytest.mark.alone
@pytest.mark.usefixtures("released")
def test_an_upgrade_by_either_helm_upgrades_the_definitions_and_leaves_the_ca_bundle(tmp_path: Path) -> None:
    old = tmp_path / "detour"
    shutil.copytree(CHARTS / "detour", old)
    file = old / "files/crds.yaml"
    file.write_text(file.read_text().replace("description: Canary says", "description: Canary said"))
    before = ca_bundles()
    assert all(before)
    for seconds, version, chart, word in (
        (6, 3, old, "said"),
        (7, 4, NEW, "says"),
        (8, 4, old, "said"),
        (9, 3, NEW, "says"),
    ):
        upgrade(version, *HOW[version], f"--set=webhook.timeoutSeconds={seconds}", chart=chart)
        assert described().split()[1] == word
        assert [hook["timeoutSeconds"] for hook in configuration()["webhooks"]] == [seconds] * 2
        assert ca_bundles() == before
    entries = configuration()["metadata"]["managedFields"]
    assert [entry["manager"] for entry in entries if "f:caBundle" in json.dumps(entry)] == ["detour"]


@pytest.mark.alone
@pytest.mark.usefixtures("released")
def test_definitions_of_somebody_else_are_left_as_they_are() -> None:
    name = "alertproviders.flagger.app"
    kubectl("label", "crd", name, "app.kubernetes.io/name=flagger", "--overwrite")
    try:
        before = get("crd", name)["metadata"]["resourceVersion"]
        said = upgrade(NEWEST, *SERVER_SIDE)
        assert f"somebody else's: {name}." in said.out
        assert get("crd", name)["metadata"]["resourceVersion"] == before
    finally:
        kubectl("label", "crd", name, "app.kubernetes.io/name=detour", "--overwrite")


@pytest.mark.alone
@pytest.mark.usefixtures("released")
def test_the_posts_values_bring_a_prometheus_that_the_built_in_metrics_ask(open_shop: OpenShop) -> None:
    upgrade(NEWEST, *SERVER_SIDE, *PROMETHEUS, "--set=meshProvider=nginx", *WAIT)
    analyzer = get("deployment", "-n", "detour", "detour")["spec"]["template"]["spec"]["containers"][1]
    assert "--metrics-server=http://detour-prometheus.detour:9090" in analyzer["args"]
    shop = open_shop(analysis=BUILT_IN)
    with Users(shop.host) as users:
        shop.set_image("6.0.1")
        shop.until("Succeeded", 120)
    assert users.failed == []
    assert shop.live_image == "6.0.1"


@pytest.mark.parametrize("version", HELM)
def test_the_posts_load_tester_is_there_after_one_command(version: int) -> None:
    with namespace("loadtester") as where:
        chart = str(CHARTS / "loadtester")
        options = (f"--namespace={where}", "--set=networkPolicy.detourNamespace=detour")
        helm(version, "upgrade", "-i", "flagger-loadtester", chart, *options, *WAIT)
        path = f"/api/v1/namespaces/{where}/services/flagger-loadtester:80/proxy/healthz"
        eventually(lambda: kubectl("get", "--raw", path, check=False).code == 0, "it answers", 20)
