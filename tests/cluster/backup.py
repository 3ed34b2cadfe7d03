"""Backups of a namespace, as tools make and restore them: everything as JSON, written again into an empty namespace."""

import json

from tests.cluster.kubectl import Object, kubectl
from tests.cluster.shop import Shop

KINDS = "deployments.apps,services,ingresses.networking.k8s.io,canaries.flagger.app,metrictemplates.flagger.app"
SERVERS_OWN = ("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "deletionTimestamp")
"""What restoring tools leave to the API server (Velero: `resetMetadata` in pkg/restore/restore.go)."""


def taken(shop: Shop) -> list[Object]:
    """All that a user's namespace holds, what Detour made included; without what other objects bring themselves."""
    return [cleaned(found) for found in shop.get(KINDS)["items"]]


def cleaned(found: Object) -> Object:
    """An object as it is written again: without its status, and without what the API server gave it."""
    metadata = {key: value for key, value in found["metadata"].items() if key not in SERVERS_OWN}
    spec = {key: value for key, value in found["spec"].items() if key not in ("clusterIP", "clusterIPs")}
    return {"apiVersion": found["apiVersion"], "kind": found["kind"], "metadata": metadata, "spec": spec}


def without_owners(backup: list[Object]) -> list[Object]:
    """As Velero restores: whom an object belonged to is not said."""
    return [{**found, "metadata": {**found["metadata"], "ownerReferences": []}} for found in backup]


def restored(backup: list[Object], namespace: str) -> None:
    """Write it again, object by object as it stands, whatever order that is."""
    items = [{**found, "metadata": {**found["metadata"], "namespace": namespace}} for found in backup]
    manifest = {"apiVersion": "v1", "kind": "List", "items": items}
    kubectl("-n", namespace, "create", "-f", "-", stdin=json.dumps(manifest))
