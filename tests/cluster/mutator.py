"""Somebody else's mutating webhook, as clusters have several: real HTTPS, called by the API server, run by the test."""

import base64
import json
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from copy import deepcopy
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from certs.authority import Pair, issue_ca, issue_serving
from tests.bench.api import enter_sandbox
from tests.cluster.kubectl import Object, kubectl

FIRST, USUAL, LAST = "aaa", "kyverno", "zzzz"
"""What the name of its configuration begins with: the API server calls them in the order of their names."""

Change = Callable[[Object], None]
"""Changes a pod template, or a Pod, in place. To what it has changed already it adds nothing."""


@contextmanager
def mutating(
    namespace: str, change: Change, order: str, policy: str = "Never", kind: str = "deployments"
) -> Iterator[list[str]]:
    """A webhook that changes whatever is written of this kind in this namespace. Yields the names of what it was
    called for.

    `policy` is its reinvocationPolicy: whether it is called once more when a later one has changed the object.
    """
    ca = issue_ca(datetime.now(UTC))
    called: list[str] = []
    with _serving(issue_serving(ca, ["localhost"], datetime.now(UTC)), _answering(change, called)) as port:
        configuration = _configuration(f"{order}-{namespace}", namespace, kind, policy)
        authority = base64.b64encode(ca.certificate).decode()
        configuration["webhooks"][0]["clientConfig"] = {"url": f"https://localhost:{port}/", "caBundle": authority}
        with _installed(configuration):
            yield called


@contextmanager
def unreachable(namespace: str) -> Iterator[None]:
    """A webhook whose server is down, and without which no Deployment may be created in this namespace."""
    configuration = _configuration(f"{FIRST}-{namespace}", namespace, "deployments", "Never")
    configuration["webhooks"][0]["clientConfig"] = {"url": "https://localhost:1/"}
    configuration["webhooks"][0]["rules"][0]["operations"] = ["CREATE"]
    with _installed(configuration):
        yield


@contextmanager
def _installed(configuration: Object) -> Iterator[None]:
    kubectl("create", "-f", "-", stdin=json.dumps(configuration))
    try:
        yield
    finally:
        kubectl("delete", "mutatingwebhookconfiguration", configuration["metadata"]["name"])


def _configuration(name: str, namespace: str, kind: str, policy: str) -> Object:
    group, operations = ("", ["CREATE"]) if kind == "pods" else ("apps", ["CREATE", "UPDATE"])
    rule = {"apiGroups": [group], "apiVersions": ["v1"], "resources": [kind], "operations": operations}
    entry = {
        "name": "mutator.example.com",
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "rules": [rule],
        "reinvocationPolicy": policy,
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    version = "admissionregistration.k8s.io/v1"
    return {
        "apiVersion": version,
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": name},
        "webhooks": [entry],
    }


def _answering(change: Change, called: list[str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["request"]
            called.append(request.get("name", ""))
            answer = {"uid": request["uid"], "allowed": True, **_patch(request["object"], change)}
            review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": answer}
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(review).encode())

        def log_message(self, format: str, *arguments: object) -> None:
            """Silent: the test's output is what it asserts."""

    return Handler


def _patch(found: Object, change: Change) -> Object:
    """The answer's patch; nothing where it changes nothing."""
    before = found["spec"]["template"] if found["kind"] == "Deployment" else found
    path = "/spec/template" if found["kind"] == "Deployment" else ""
    after = deepcopy(before)
    change(after)
    operations = [
        {"op": "add", "path": f"{path}/{part}", "value": after[part]}
        for part in ("metadata", "spec")
        if after[part] != before[part]
    ]
    packed = base64.b64encode(json.dumps(operations).encode()).decode()
    return {"patchType": "JSONPatch", "patch": packed} if operations else {}


@contextmanager
def _serving(pair: Pair, handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """A server on the loopback of the sandbox, where the API server reaches it; its port."""
    with ThreadPoolExecutor(1, initializer=enter_sandbox) as inside:
        server = inside.submit(ThreadingHTTPServer, ("127.0.0.1", 0), handler).result()
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(pair.certificate + pair.key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file.name)
    with server, context.wrap_socket(server.socket, server_side=True) as server.socket:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()
