"""Where the replicas' certificates meet: the CA in a Secret, the caBundle in the webhook configuration."""

import base64
import logging
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from analyzer.kube import errors
from analyzer.kube.client import Client, Object
from analyzer.kube.resources import SECRETS, WEBHOOK_CONFIGURATIONS
from analyzer.kube.watch import Watch
from certs.rotation import Conflict, Rotation, Stored

SECRET = "detour-ca"
SERVICE = "detour"
CONFIGURATION = "zz-detour"
FIRST_BACKOFF, LONGEST_BACKOFF = 0.5, 30.0
LONGEST_WAIT = 3600.0  # seconds; the clock that waits are measured by stands still while a machine sleeps

log = logging.getLogger(__name__)


class ClusterStore:
    """A `certs.rotation.Store` on the API server."""

    def __init__(self, client: Client, namespace: str) -> None:
        self._client = client
        self._namespace = namespace

    def read_ca(self) -> Stored | None:
        """The Secret's data, decoded."""
        try:
            secret = self._client.get(SECRETS, self._namespace, SECRET)
        except errors.NotFound:
            return None
        data = {key: base64.b64decode(value) for key, value in (secret.get("data") or {}).items()}
        return Stored(data, secret["metadata"]["resourceVersion"])

    def write_ca(self, data: Mapping[str, bytes], version: str | None) -> None:
        """Create or replace the Secret."""
        metadata = {"name": SECRET, "namespace": self._namespace} | ({"resourceVersion": version} if version else {})
        encoded = {key: base64.b64encode(value).decode() for key, value in data.items()}
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": encoded}
        try:
            if version:
                self._client.replace(SECRETS, body)
            else:
                self._client.create(SECRETS, body)
        except errors.Conflict as conflict:
            raise Conflict(conflict.message) from conflict

    def read_ca_bundle(self) -> tuple[bytes, ...]:
        """Each webhook's caBundle, decoded."""
        configuration = self._configuration()
        if configuration is None:
            return ()
        bundles = (hook["clientConfig"].get("caBundle") or "" for hook in configuration["webhooks"])
        return tuple(base64.b64decode(bundle) for bundle in bundles)

    def write_ca_bundle(self, pem: bytes) -> None:
        """Put it into every webhook of the configuration as it was read just now."""
        configuration = self._configuration()
        if configuration is None:
            raise Conflict("the webhook configuration is gone")
        bundle = base64.b64encode(pem).decode()
        version = configuration["metadata"]["resourceVersion"]
        patch: list[Object] = [{"op": "test", "path": "/metadata/resourceVersion", "value": version}]
        for index in range(len(configuration["webhooks"])):
            patch.append({"op": "add", "path": f"/webhooks/{index}/clientConfig/caBundle", "value": bundle})
        try:
            self._client.patch(WEBHOOK_CONFIGURATIONS, None, CONFIGURATION, patch)
        except errors.Conflict as conflict:
            raise Conflict(conflict.message) from conflict

    def _configuration(self) -> Object | None:
        try:
            return self._client.get(WEBHOOK_CONFIGURATIONS, None, CONFIGURATION)
        except errors.NotFound:
            return None


class Keeper:
    """Keeps the certificates right in a thread: when they are due, and when somebody changed the configuration."""

    def __init__(self, client: Client, namespace: str, directory: Path) -> None:
        self._rotation = Rotation(ClusterStore(client, namespace), directory, SERVICE, namespace)
        self._look = threading.Event()
        self._settled = threading.Event()
        selector = f"metadata.name={CONFIGURATION}"
        self._watch = Watch(client, WEBHOOK_CONFIGURATIONS, lambda _: self._look.set(), field_selector=selector)

    @property
    def in_place(self) -> bool:
        """Whether the caBundle was in place, and the certificate served, at the last look."""
        return self._settled.is_set() and bool(self._watch.all())

    def start(self) -> None:
        """Begin to look after them."""
        self._watch.start()
        threading.Thread(target=self._run, name="certificates", daemon=True).start()

    def _run(self) -> None:
        backoff = FIRST_BACKOFF
        while True:
            try:
                due = self._rotation.ensure(datetime.now(UTC))
                self._settled.set()
                backoff = FIRST_BACKOFF
                wait = min(max(1.0, (due - datetime.now(UTC)).total_seconds()), LONGEST_WAIT)
            except Exception as error:
                log.warning("the certificates could not be put right, again in %.1f s: %s", backoff, error)
                wait, backoff = backoff, min(backoff * 2, LONGEST_BACKOFF)
            self._look.wait(wait)
            self._look.clear()
