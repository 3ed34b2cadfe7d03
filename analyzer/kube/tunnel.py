"""A connection to a port of a pod by way of the API server, as `kubectl port-forward` makes it.

Who may look at a pod need not be able to reach its address.
"""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import kubernetes.client
from kubernetes.stream import portforward

from analyzer.kube.errors import Unreachable


@contextmanager
def tunnel(configuration: Any, namespace: str, pod: str, port: int) -> Iterator[socket.socket]:
    """`configuration` is that of a `kubernetes.client.ApiClient`; asks for the right `get pods/portforward`.

    Raises Unreachable in the API server's words.
    """
    core = kubernetes.client.CoreV1Api(kubernetes.client.ApiClient(configuration))
    try:
        forward = portforward(core.connect_get_namespaced_pod_portforward, pod, namespace, ports=str(port))
    except kubernetes.client.ApiException as error:
        refusal = re.search(r'"message":"(.*?)","reason"', str(error.reason))
        said = refusal[1].replace('\\"', '"') if refusal else str(error.reason)
        raise Unreachable(said) from error
    ours = forward.socket(port)
    copy = ours.dup()
    try:
        yield ours
    finally:
        ours.close()
        _hear_out(copy)


def _hear_out(connection: socket.socket) -> None:
    """At the other end is a thread of the library's, which breaks down over a peer that goes without hearing it out."""
    with connection, suppress(OSError):
        connection.settimeout(1.0)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(64 * 1024):
            pass
