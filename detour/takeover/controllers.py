"""Where Flagger runs, and at which namespaces it looks. Who takes over may look at every Deployment for once."""

from collections.abc import Mapping

from analyzer.coexistence import EVERYWHERE, runs_flagger, scope
from analyzer.kube.client import Client
from analyzer.kube.resources import DEPLOYMENTS, PODS


def controllers(client: Client) -> dict[str, str]:
    """The Deployments of Flagger that have pods, be they about to end: `namespace/name`, and the namespace that each
    looks at (EVERYWHERE: all)."""
    found = {}
    for deployment in client.list(DEPLOYMENTS).get("items") or ():
        if not runs_flagger(deployment):
            continue
        metadata, labels = deployment["metadata"], deployment["spec"]["selector"].get("matchLabels") or {}
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        if client.list_metadata(PODS, metadata["namespace"], selector).get("items"):
            seen = scope({**deployment, "status": {"replicas": 1}})
            found[f"{metadata['namespace']}/{metadata['name']}"] = EVERYWHERE if seen is None else seen
    return found


def looking_at(found: Mapping[str, str], namespace: str) -> tuple[str, ...]:
    """Those of them that look at a namespace."""
    return tuple(f"Deployment {name}" for name, seen in found.items() if seen in (EVERYWHERE, namespace))
