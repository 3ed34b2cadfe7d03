"""Where the replicas' certificates meet: the CA in a Secret, the caBundle in the webhook configuration."""

import base64
from collections.abc import Mapping
from datetime import datetime

from analyzer.kube import errors
from analyzer.kube.client import Client, Object
from analyzer.kube.resources import SECRETS, WEBHOOK_CONFIGURATIONS
from analyzer.removal import CONFIGURATION
from certs import orders
from certs.rotation import Bundles, Conflict, Stored

SECRET = "detour-ca"
SERVICE = "detour"


def host_name(namespace: str) -> str:
    """What the API server expects of the certificate (admissionregistration.k8s.io/v1 WebhookClientConfig)."""
    return f"{SERVICE}.{namespace}.svc"


class ClusterStore:
    """A `certs.rotation.Store` on the API server."""

    def __init__(self, client: Client, namespace: str) -> None:
        self._client = client
        self._namespace = namespace

    def time(self) -> datetime:
        """By the API server's clock."""
        return self._client.now()

    def read_ca(self) -> Stored | None:
        """The Secret's data, decoded."""
        try:
            secret = self._client.get(SECRETS, self._namespace, SECRET)
        except errors.NotFound:
            return None
        data = {key: base64.b64decode(value) for key, value in (secret.get("data") or {}).items()}
        metadata = secret["metadata"]
        return Stored(data, metadata["resourceVersion"], orders.read(metadata.get("annotations") or {}))

    def write_ca(self, data: Mapping[str, bytes], version: str | None) -> None:
        """Create the Secret, or replace its data; what others have put on it stays."""
        encoded = {key: base64.b64encode(value).decode() for key, value in data.items()}
        try:
            if version:
                patch = [_unchanged(version), {"op": "add", "path": "/data", "value": encoded}]
                self._client.patch(SECRETS, self._namespace, SECRET, patch)
            else:
                metadata = {"name": SECRET, "namespace": self._namespace}
                body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": encoded}
                self._client.create(SECRETS, body)
        except (errors.Conflict, errors.NotFound) as conflict:
            raise Conflict(conflict.message) from conflict

    def read_ca_bundles(self) -> Bundles | None:
        """Each webhook's caBundle, decoded."""
        try:
            configuration = self._client.get(WEBHOOK_CONFIGURATIONS, None, CONFIGURATION)
        except errors.NotFound:
            return None
        return Bundles(tuple(ca_bundles(configuration).values()), configuration["metadata"]["resourceVersion"])

    def write_ca_bundle(self, pem: bytes, read: Bundles) -> None:
        """Put it into every webhook of the configuration that was read."""
        bundle = base64.b64encode(pem).decode()
        patch = [_unchanged(read.version)]
        for index in range(len(read.pems)):
            patch.append({"op": "add", "path": f"/webhooks/{index}/clientConfig/caBundle", "value": bundle})
        try:
            self._client.patch(WEBHOOK_CONFIGURATIONS, None, CONFIGURATION, patch)
        except (errors.Conflict, errors.NotFound) as conflict:
            raise Conflict(conflict.message) from conflict


def ca_bundles(configuration: Object) -> dict[str, bytes]:
    """The caBundle of each webhook by its name, b"" where it has none."""
    return {
        hook["name"]: base64.b64decode(hook["clientConfig"].get("caBundle") or "")
        for hook in configuration.get("webhooks") or ()
    }


def _unchanged(version: str) -> Object:
    return {"op": "test", "path": "/metadata/resourceVersion", "value": version}
