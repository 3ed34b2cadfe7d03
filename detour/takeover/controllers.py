"""Where Flagger runs, and at which namespaces it looks. Who takes over may look at every Deployment for once."""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from analyzer.coexistence import EVERYWHERE, NAME, is_flagger, scope
from analyzer.kube.client import Client
from analyzer.kube.resources import DEPLOYMENTS, PODS

Object = dict[str, Any]


def controllers(client: Client) -> dict[str, str]:
    """The Deployments of Flagger that have pods, be they about to end: `namespace/name`, and the namespace that each
    looks at (EVERYWHERE: all)."""
    found = {}
    for deployment in client.list(DEPLOYMENTS).get("items") or ():
        if not (is_flagger(deployment) or NAME in _programs(deployment)):
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


def _programs(deployment: Object) -> Iterator[str]:
    """What its containers run, by image and by command, whatever the Deployment is called."""
    for container in deployment["spec"]["template"]["spec"].get("containers") or ():
        image = str(container.get("image", "")).partition("@")[0]
        yield PurePosixPath(image).name.partition(":")[0]
        yield from (PurePosixPath(word).name for word in (container.get("command") or ())[:1])
