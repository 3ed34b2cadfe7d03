"""The bare Go server in a pod, reached by the API server just as Detour is: a Service, TLS, the same conditions."""

import base64
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from certs.authority import issue_ca, issue_serving
from sandbox import archive, cluster
from sandbox.preflight import go_program
from tests.bench.figure import say
from tests.cluster.kubectl import get, kubectl

Object = dict[str, Any]

SOURCE = Path(__file__).with_name("bare-webhook")
NAME, IMAGE = "bare-webhook", "detour.dev/bare-webhook:bench"
OURS, PREFIX = "detour.dev/", "bare-b.dev/"
"""What the keys begin with: Detour's, and those of the bare server, which are as long."""
LABEL = f"{PREFIX}policy"
"""Deployments with this label are sent to the bare server."""


@contextmanager
def server(namespace: str) -> Iterator[None]:
    """Built, running in this namespace, and called for the namespace's Deployments that have the label."""
    say("  building the bare Go server")
    _import_image()
    ca = issue_ca(datetime.now(UTC))
    pair = issue_serving(ca, [f"{NAME}.{namespace}.svc"], datetime.now(UTC))
    secret = {"tls.crt": base64.b64encode(pair.certificate).decode(), "tls.key": base64.b64encode(pair.key).decode()}
    items = [_object("v1", "Secret", type="kubernetes.io/tls", data=secret), _service(), _deployment()]
    manifest = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    kubectl("-n", namespace, "create", "-f", "-", stdin=manifest)
    kubectl("-n", namespace, "rollout", "status", f"deployment/{NAME}", "--timeout=60s")
    configuration = _configuration(namespace, base64.b64encode(ca.certificate).decode())
    kubectl("create", "-f", "-", stdin=json.dumps(configuration))
    try:
        yield
    finally:
        kubectl("delete", "mutatingwebhookconfiguration", namespace)


def renamed(found: Object) -> Object:
    """What the bare server has written, under Detour's own keys."""
    return dict(json.loads(json.dumps(found).replace(PREFIX, OURS)))


def build(folder: Path) -> Path:
    """The program, in this folder."""
    program = folder / NAME
    command = [go_program(), "build", "-trimpath", "-ldflags=-s -w", "-o", str(program), "."]
    subprocess.run(command, cwd=SOURCE, env={**os.environ, "CGO_ENABLED": "0"}, check=True, timeout=300)
    return program


def _import_image() -> None:
    with tempfile.TemporaryDirectory() as folder:
        program, packed = build(Path(folder)), Path(folder) / "image.tar"
        layer = (archive.File(f"/{NAME}", source=program),)
        archive.write(packed, [archive.Image(names=(IMAGE,), layers=(layer,), entrypoint=(f"/{NAME}",))])
        cluster.import_image(packed)


def _configuration(namespace: str, authority: str) -> Object:
    """Detour's own entry as it is installed, for other keys and another server."""
    installed = json.dumps(get("mutatingwebhookconfiguration", "zz-detour")["webhooks"][0])
    entry: Object = json.loads(installed.replace(OURS, PREFIX))
    entry["name"] = "bare.bench.detour.dev"
    entry["objectSelector"] = {"matchExpressions": [{"key": LABEL, "operator": "Exists"}]}
    entry["namespaceSelector"] = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    service = {"namespace": namespace, "name": NAME, "path": "/divert", "port": 443}
    entry["clientConfig"] = {"service": service, "caBundle": authority}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": namespace},
        "webhooks": [entry],
    }


def _service() -> Object:
    return _object("v1", "Service", spec={"selector": {"app": NAME}, "ports": [{"port": 443, "targetPort": 8443}]})


def _deployment() -> Object:
    container = {
        "name": NAME,
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "readinessProbe": {"tcpSocket": {"port": 8443}, "periodSeconds": 1},
        "volumeMounts": [{"name": "tls", "mountPath": "/tls", "readOnly": True}],
    }
    pod = {"containers": [container], "volumes": [{"name": "tls", "secret": {"secretName": NAME}}]}
    template = {"metadata": {"labels": {"app": NAME}}, "spec": pod}
    return _object("apps/v1", "Deployment", spec={"selector": {"matchLabels": {"app": NAME}}, "template": template})


def _object(version: str, kind: str, **parts: Any) -> Object:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": NAME}, **parts}
