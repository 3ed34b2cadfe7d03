"""The Secret and the configuration as the replicas meet there, by the API server's clock and under its conditions."""

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonpatch
import pytest

from analyzer.kube.answers import Answer
from analyzer.kube.client import Client, Object
from analyzer.kube.errors import Conflict as Refused
from analyzer.kube.errors import NotFound
from analyzer.kube.resources import Resource
from certs import authority, directory
from certs.rotation import Conflict, Rotation
from detour.certificates import ClusterStore

LONG_AGO = datetime(2011, 11, 11, tzinfo=UTC)
HOOKS = ({"name": "a", "clientConfig": {}}, {"name": "b", "clientConfig": {"caBundle": ""}})


class ApiServer(Client):
    """Two objects, with optimistic locking, in a time of its own."""

    def __init__(self) -> None:
        self.objects: dict[str, Object] = {"zz-detour": {"metadata": {}, "webhooks": list(HOOKS)}}
        self.version = 0
        self._stored("zz-detour")

    def now(self) -> datetime:
        return LONG_AGO

    def get(self, resource: Resource, namespace: str | None, name: str) -> Object:
        if name not in self.objects:
            raise NotFound(404, "NotFound", name)
        return self.objects[name]

    def create(self, resource: Resource, body: Object) -> Object:
        self.objects[body["metadata"]["name"]] = body
        return self._stored(body["metadata"]["name"])

    def patch(self, resource: Resource, namespace: str | None, name: str, operations: Any, **_: Any) -> Answer:
        try:
            self.objects[name] = jsonpatch.apply_patch(self.get(resource, namespace, name), operations)
        except jsonpatch.JsonPatchTestFailed as error:
            raise Refused(422, "Invalid", str(error)) from error
        return Answer(self._stored(name))

    def _stored(self, name: str) -> Object:
        self.version += 1
        found = self.objects[name]
        self.objects[name] = {**found, "metadata": {**found["metadata"], "resourceVersion": str(self.version)}}
        return self.objects[name]


def test_certificates_are_issued_by_the_clock_of_those_who_judge_them(tmp_path: Path) -> None:
    server = ApiServer()
    standing = Rotation(ClusterStore(server, "detour"), tmp_path, "detour", "detour").ensure()
    pair = directory.read(tmp_path)
    assert pair is not None
    assert standing.serving_expires == authority.expires_at(pair.certificate) == LONG_AGO + timedelta(days=7)
    assert standing.ca_expires == LONG_AGO + timedelta(days=365)


def test_what_others_have_written_on_the_secret_stays_and_no_key_is_anywhere_else(tmp_path: Path) -> None:
    server = ApiServer()
    rotation = Rotation(ClusterStore(server, "detour"), tmp_path, "detour", "detour")
    rotation.ensure()
    ordered = LONG_AGO.isoformat()
    server.objects["detour-ca"]["metadata"]["annotations"] = {"detour.dev/renew-ca": ordered, "backup": "yes"}
    store = ClusterStore(server, "detour")
    read = store.read_ca()
    assert read is not None
    assert read.orders.renew_ca == LONG_AGO
    store.write_ca({"ca.crt": b"another"}, read.version)
    secret = server.objects["detour-ca"]
    assert secret["metadata"]["annotations"]["backup"] == "yes"
    assert secret["data"] == {"ca.crt": base64.b64encode(b"another").decode()}
    bundle = base64.b64decode(server.objects["zz-detour"]["webhooks"][0]["clientConfig"]["caBundle"])
    assert b"PRIVATE" not in bundle


def test_who_has_read_something_older_writes_neither_the_secret_nor_the_ca_bundle(tmp_path: Path) -> None:
    server = ApiServer()
    store = ClusterStore(server, "detour")
    Rotation(store, tmp_path, "detour", "detour").ensure()
    secret, bundles = store.read_ca(), store.read_ca_bundles()
    assert secret is not None
    assert bundles is not None
    server._stored("detour-ca")
    server._stored("zz-detour")
    with pytest.raises(Conflict):
        store.write_ca({"ca.crt": b"older"}, secret.version)
    with pytest.raises(Conflict):
        store.write_ca_bundle(b"older", bundles)
    del server.objects["detour-ca"], server.objects["zz-detour"]
    with pytest.raises(Conflict):
        store.write_ca({"ca.crt": b"older"}, secret.version)
    assert store.read_ca_bundles() is None
