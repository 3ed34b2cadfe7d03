"""Of several replicas one leads: the API server itself takes nothing from the others (policies/leader.yaml)."""

import json
from collections.abc import Iterator

import pytest

from tests.cluster.kubectl import Object, Said, eventually, get, kubectl
from tests.cluster.namespaces import unique
from tests.cluster.podless import podless
from tests.cluster.shop import Shop
from webhook import stash

HOME = "detour"
ACCOUNT = "detour-analyzer"
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


@pytest.fixture(scope="module")
def another_replica() -> Iterator[str]:
    """The name of a pod of the analyzer's ServiceAccount that does not lead, and never runs."""
    name = unique("replica")
    container = {"name": "analyzer", "image": "none", "securityContext": RESTRICTED}
    spec = {"serviceAccountName": ACCOUNT, "schedulingGates": [{"name": "detour.dev/never"}], "containers": [container]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": HOME}, "spec": spec}
    kubectl("create", "-f", "-", stdin=json.dumps(pod))
    yield name
    kubectl("-n", HOME, "delete", "pod", name, "--wait=false")


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with podless() as shop:
        shop.create()
        canary = shop.canary()
        canary["metadata"]["name"] = canary["spec"]["targetRef"]["name"] = "of-nothing"
        shop.apply(canary)
        yield shop


def leader() -> str:
    holder = get("-n", HOME, "lease", ACCOUNT)["spec"]["holderIdentity"]
    assert get("-n", HOME, "leaders.detour.dev", ACCOUNT)["spec"]["holder"] == holder
    return str(holder)


def by(pod: str, *arguments: str, stdin: str | None = None) -> Said:
    """kubectl as the analyzer in that pod. Nothing is stored."""
    bound = ("--bound-object-kind=Pod", f"--bound-object-name={pod}")
    token = kubectl("-n", HOME, "create", "token", ACCOUNT, *bound).out.strip()
    server = kubectl("config", "view", "--raw", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}").out
    plain = (f"--server={server}", "--insecure-skip-tls-verify", f"--token={token}", "--kubeconfig=/dev/null")
    return kubectl(*plain, *arguments, "--dry-run=server", stdin=stdin, check=False)


def a_service(shop: Shop) -> Object:
    metadata = {"name": "of-the-analyzer", "namespace": shop.namespace, "labels": {stash.CANARY_OF: "podinfo"}}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": [{"port": 80}]}}


WRITES = {
    "makes": ("create", "-f", "-"),
    "patches": (
        "patch",
        "deployment/podinfo",
        "--type=merge",
        "-p",
        '{"metadata":{"labels":{"detour.dev/state":"x"}}}',
    ),
    "deletes": ("delete", "canary/of-nothing"),
}


@pytest.mark.parametrize("what", WRITES)
def test_what_a_replica_that_does_not_lead_writes_is_refused(shop: Shop, another_replica: str, what: str) -> None:
    refused = by(another_replica, "-n", shop.namespace, *WRITES[what], stdin=json.dumps(a_service(shop)))
    assert refused.code
    assert f"pod {another_replica} does not lead, but {leader()}" in refused.err


@pytest.mark.parametrize("what", WRITES)
def test_what_the_leader_writes_is_accepted(shop: Shop, what: str) -> None:
    def accepted() -> bool:
        return by(leader(), "-n", shop.namespace, *WRITES[what], stdin=json.dumps(a_service(shop))).code == 0

    eventually(accepted, "who leads may write", 20)


def test_what_a_user_has_made_not_even_the_leader_deletes(shop: Shop) -> None:
    refused = by(leader(), "-n", shop.namespace, "delete", "deployment/podinfo")
    assert refused.code
    assert "deletes what bears the label detour.dev/canary-of" in refused.err
