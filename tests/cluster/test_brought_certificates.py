"""A Secret of the user's own instead of Detour's CA, by the component that is there for it, on a real kubelet."""

import base64
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from certs.authority import Pair, issue_ca, issue_serving
from tests.cluster.kubectl import ROOT, Object, eventually, get, kubectl
from tests.cluster.podless import podless
from tests.cluster.rotations import HOST, NAMESPACE
from tests.cluster.test_certificates import bundles, detour

pytestmark = pytest.mark.alone

CA = issue_ca(datetime.now(UTC))
OVERLAY = """
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [{manifests}]
components: [{manifests}/certificates/own-secret]
replicas: [{{name: detour, count: 1}}]
patches:
  - target: {{kind: Deployment, name: detour}}
    patch: |-
      - {{op: add, path: /spec/template/spec/containers/1/args/-, value: --settle=1}}
"""


def bring(pair: Pair, ca: bytes = CA.certificate) -> None:
    """Write the Secret, and have the kubelet look at it now and not in a minute: a change of the pod makes it do so."""
    content = {"tls.crt": pair.certificate, "tls.key": pair.key, "ca.crt": ca}
    data = {key: base64.b64encode(value).decode() for key, value in content.items()}
    metadata = {"name": "detour-tls", "namespace": NAMESPACE}
    kubectl(
        "apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data})
    )
    kubectl("-n", NAMESPACE, "annotate", "pods", "--all", "--overwrite", f"test/look={secrets.token_hex(4)}")


def leaf(ca: Pair = CA, name: str = HOST, age: timedelta = timedelta(0)) -> Pair:
    return issue_serving(ca, [name], datetime.now(UTC) - age)


@contextmanager
def brought() -> Iterator[None]:
    """Detour with the component; as it was again afterwards."""
    overlay = ROOT / ".sandbox/own-secret"
    overlay.mkdir(exist_ok=True)
    manifests = Path("../..") / "manifests"
    (overlay / "kustomization.yaml").write_text(OVERLAY.format(manifests=manifests))
    kubectl("apply", "-k", str(overlay))
    kubectl("-n", NAMESPACE, "delete", "-f", "manifests/rbac/ca.yaml")
    try:
        rolled_out()
        yield
    finally:
        kubectl("apply", "-k", "manifests")
        rolled_out()
        kubectl("-n", NAMESPACE, "delete", "secret", "detour-tls")


def rolled_out() -> None:
    kubectl("-n", NAMESPACE, "rollout", "status", "deployment/detour", "--timeout=90s")


def pods() -> list[Object]:
    """Those that stay: who is on its way out listens for a while, and nobody waits for it."""
    found = get("-n", NAMESPACE, "pods", "-l", "app.kubernetes.io/name=detour")["items"]
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]


def complaints() -> list[str]:
    """What `kubectl describe pod` shows of each."""
    return [kubectl("-n", NAMESPACE, "describe", "pod", pod["metadata"]["name"]).out for pod in pods()]


def served() -> str:
    """The fingerprint of what all replicas present, which the API server trusts; "" while it is not the same."""
    lines = [line.split() for line in detour("certs", "status").splitlines() if line.startswith("serving")]
    found = {line[2] for line in lines}
    return found.pop() if len(found) == 1 else ""


def test_a_secret_of_the_users_own_is_served_renewed_and_checked_before_without_a_restart() -> None:
    bring(leaf())
    with brought(), podless() as shop:
        started = {pod["metadata"]["uid"] for pod in pods()}
        assert {base64.b64decode(bundle)[: len(CA.certificate)] for bundle in bundles()} == {CA.certificate}
        shop.create()
        first = eventually(served, "all serve the same", 30)
        for pair, reason in (
            (leaf(age=timedelta(days=8)), "has expired at"),
            (leaf(name="a.b"), f"is for a.b, not for {HOST}"),
            (leaf(issue_ca(datetime.now(UTC))), "is not from a CA that the caBundle holds"),
        ):
            bring(pair)
            eventually(lambda reason=reason: all(reason in said for said in complaints()), reason, 30, complaints)  # type: ignore[misc]
        assert served() == first
        assert "runs as a canary first" in shop.set_image("6.0.1").err
        bring(leaf())
        eventually(lambda: served() not in ("", first), "the renewed one is served", 30)
        assert "as the canary" in shop.set_image("6.0.2").err
        assert {pod["metadata"]["uid"] for pod in pods()} == started
        assert not [s for pod in pods() for s in pod["status"]["containerStatuses"] if s["restartCount"]]
