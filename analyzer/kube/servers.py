"""Where the API server listens, so that nobody has it called who only writes down an address."""

import logging
import socket
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from analyzer.addresses import Place
from analyzer.kube.client import Client
from analyzer.kube.errors import ApiError, Unreachable
from analyzer.kube.resources import ENDPOINT_SLICES

NAMESPACE, NAME = "default", "kubernetes"  # of its Service, and of the EndpointSlice that it writes itself

log = logging.getLogger(__name__)


def places(client: Client, service: Mapping[str, Any] | None) -> frozenset[Place]:
    """All that is known now: what we talk to, its Service, and the endpoints behind that. One request."""
    found = {*_resolved(client.server)}
    if service:
        found.update(_of_service(service["spec"]))
    try:
        found.update(_of_slice(client.get(ENDPOINT_SLICES, NAMESPACE, NAME)))
    except (ApiError, Unreachable) as error:
        log.warning("the addresses of the API server's replicas are not known, and so not refused: %s", error)
    return frozenset(found)


def _resolved(url: str) -> Iterator[Place]:
    parts = urlsplit(url)
    port = parts.port or (80 if parts.scheme == "http" else 443)
    try:
        for *_, place in socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM):
            yield ip_address(place[0]), port
    except OSError as error:
        log.warning("%s is not known, and so not refused: %s", parts.hostname, error)


def _of_service(spec: Mapping[str, Any]) -> Iterator[Place]:
    for address in spec.get("clusterIPs") or ():
        for port in spec.get("ports") or ():
            yield ip_address(address), port["port"]


def _of_slice(found: Mapping[str, Any]) -> Iterator[Place]:
    for endpoint in found.get("endpoints") or ():
        for address in endpoint["addresses"]:
            for port in found.get("ports") or ():
                yield ip_address(address), port["port"]
