"""A webhook that nobody answers for, to the users of one namespace alone."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from tests.cluster.kubectl import get, kubectl

CONFIGURATION = "zz-detour"
KIND = "mutatingwebhookconfiguration"


@contextmanager
def down(namespace: str) -> Iterator[None]:
    """Nobody answers for this namespace, and what Detour's own entries would be asked about is refused."""
    broken = get(KIND, CONFIGURATION)
    broken["metadata"] = {"name": f"aa-{namespace}"}
    for entry in broken["webhooks"]:
        entry["clientConfig"]["service"]["name"] = "nobody"
        only = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": [namespace]}
        entry["namespaceSelector"]["matchExpressions"].append(only)
    kubectl("create", "-f", "-", stdin=json.dumps(broken))
    try:
        yield
    finally:
        kubectl("delete", KIND, f"aa-{namespace}")
