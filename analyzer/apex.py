"""The Service that a Canary asks for by `spec.service` and nobody has made: what serves the primary.

As Flagger makes it (Canary.spec.service), and like there it goes with the Canary. One that exists is never changed.
"""

from collections.abc import Mapping
from typing import Any

Object = Mapping[str, Any]

DEFAULT_PORT_NAME = "http"


def name(canary: Object) -> str | None:
    """The name of the Service that the Canary wants to be there; None if it wants none."""
    service: Object = canary["spec"].get("service") or {}
    return str(service.get("name") or canary["spec"]["targetRef"]["name"]) if "port" in service else None


def service(canary: Object, primary: Object) -> dict[str, Any]:
    """The Service, with the port that the Canary names, for the pods of the primary. The Canary owns it."""
    wanted, metadata = canary["spec"]["service"], canary["metadata"]
    extra: Object = wanted.get("apex") or {}
    port = {
        "name": wanted.get("portName") or DEFAULT_PORT_NAME,
        "port": wanted["port"],
        "targetPort": wanted.get("targetPort") or wanted["port"],
        "protocol": "TCP",
        **({"appProtocol": wanted["appProtocol"]} if wanted.get("appProtocol") else {}),
    }
    owner = {key: canary[key] for key in ("apiVersion", "kind")} | {key: metadata[key] for key in ("name", "uid")}
    selector = primary["spec"]["selector"].get("matchLabels") or primary["spec"]["template"]["metadata"]["labels"]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": name(canary),
            "namespace": metadata["namespace"],
            **{key: dict(extra[key]) for key in ("labels", "annotations") if extra.get(key)},
            "ownerReferences": [{**owner, "controller": True, "blockOwnerDeletion": False}],
        },
        "spec": {
            **({"clusterIP": "None"} if wanted.get("headless") else {}),
            "ports": [port],
            "selector": dict(selector),
        },
    }
