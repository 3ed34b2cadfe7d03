"""The Service that a Canary asks for by `spec.service` and nobody has made: what serves the primary.

As Flagger makes it (Canary.spec.service), and like there it goes with the Canary. One that exists is never changed.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Object = Mapping[str, Any]

DEFAULT_PORT_NAME = "http"
LONGEST_PORT_NAME = 63  # characters: a DNS label
SIDECARS = ("istio-proxy", "envoy")
"""Containers of the mesh, whose ports are not the application's (Flagger's list)."""


def name(canary: Object) -> str | None:
    """The name of the Service that the Canary wants to be there; None if it wants none."""
    service: Object = canary["spec"].get("service") or {}
    return str(service.get("name") or canary["spec"]["targetRef"]["name"]) if "port" in service else None


def service(canary: Object, primary: Object) -> dict[str, Any]:
    """The Service, with the port that the Canary names, for the pods of the primary. The Canary owns it."""
    wanted, metadata = canary["spec"]["service"], canary["metadata"]
    extra: Object = wanted.get("apex") or {}
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
            **({"trafficDistribution": wanted["trafficDistribution"]} if wanted.get("trafficDistribution") else {}),
            "ports": _ports(wanted, primary),
            "selector": dict(selector),
        },
    }


def _ports(wanted: Object, primary: Object) -> list[dict[str, Any]]:
    """The port that the Canary names, and those that it wants to be found."""
    port = {
        "name": wanted.get("portName") or DEFAULT_PORT_NAME,
        "port": wanted["port"],
        "targetPort": wanted.get("targetPort") or wanted["port"],
        "protocol": "TCP",
        **({"appProtocol": wanted["appProtocol"]} if wanted.get("appProtocol") else {}),
    }
    return [port, *(_discovered(port, primary) if wanted.get("portDiscovery") else ())]


def _discovered(named: Object, primary: Object) -> Iterator[dict[str, Any]]:
    """The other ports of the primary's containers (Canary.spec.service.portDiscovery), each under its own number.

    Otherwise than Flagger's, a port keeps its protocol, and a number or name that is taken is left out: a Service with
    the same one twice would be refused whole.
    """
    names, numbers = {named["name"]}, {(named["port"], named["protocol"])}
    for container in primary["spec"]["template"]["spec"].get("containers") or ():
        for number, port in enumerate(container.get("ports") or ()):
            made = f"tcp-{container['name']}"[: LONGEST_PORT_NAME - len(f"-{number}")] + f"-{number}"
            name, protocol = port.get("name") or made, port.get("protocol", "TCP")
            target = (port["containerPort"], protocol)
            is_named = named["targetPort"] in (port["containerPort"], port.get("name"))
            if container["name"] in SIDECARS or is_named or name in names or target in numbers:
                continue
            names.add(name)
            numbers.add(target)
            yield {"name": name, "port": port["containerPort"], "targetPort": target[0], "protocol": protocol}
