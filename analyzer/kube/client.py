"""Requests to the API server: raw JSON in and out, a deadline on each, and our own errors.

The client library's typed models drop the fields that they do not know, so they never touch an object here.
"""

import json
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import kubernetes.client
import kubernetes.config
import urllib3.exceptions
from kubernetes.stream import portforward
from kubernetes.utils.keepalive import tcp_keepalive_socket_options

from analyzer.kube.errors import NoCluster, Unreachable, from_status
from analyzer.kube.mishap import Mishap
from analyzer.kube.resources import Resource
from analyzer.kube.together import Patch, patch_together

Object = dict[str, Any]
Timeout = tuple[float, float]

CONNECT_AND_READ: Timeout = (3.0, 10.0)
FIELD_MANAGER = "detour"
SILENCE = 180.0  # seconds
JSON = "application/json"
METADATA = f"{JSON};as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
METADATA_LIST = f"{JSON};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the object, and the warnings that admission added to it."""

    object: Object
    warnings: tuple[str, ...] = ()


class Client:
    """One connection pool to one API server. Safe to be shared between threads. A `mishap` is a test's."""

    def __init__(self, api: Any, mishap: Mishap | None = None) -> None:
        self._api = api
        self._around = mishap.around if mishap else lambda *_: nullcontext()

    @classmethod
    def connect(cls, kubeconfig: str | None = None, mishap: Mishap | None = None) -> "Client":
        """From a kubeconfig file, or as the ServiceAccount of the pod that we run in. Raises NoCluster."""
        configuration = kubernetes.client.Configuration()
        configuration.connection_pool_maxsize = 32
        configuration.retries = False  # ours have a back-off; a deadline means what it says
        # A watch whose peer is gone without a word ends after 45 s, as client-go's does.
        configuration.socket_options = tcp_keepalive_socket_options(idle=30, interval=5, count=3)
        try:
            if kubeconfig:
                kubernetes.config.load_kube_config(kubeconfig, client_configuration=configuration)
            else:
                kubernetes.config.load_incluster_config(client_configuration=configuration)
        except kubernetes.config.ConfigException as error:
            raise NoCluster(str(error)) from error
        api = kubernetes.client.ApiClient(configuration)
        api.user_agent = "detour"
        return cls(api, mishap)

    @property
    def server(self) -> str:
        """The URL of the API server."""
        return str(self._api.configuration.host)

    def get(self, resource: Resource, namespace: str | None, name: str) -> Object:
        """The object as it is now. Raises NotFound."""
        return self._request("GET", resource.path(namespace, name)).object

    def list(self, resource: Resource, namespace: str | None = None, **query: str) -> Object:
        """The whole list object, its `metadata.resourceVersion` included."""
        return self._request("GET", resource.path(namespace), query=query).object

    def list_metadata(self, resource: Resource, namespace: str, selector: str) -> Object:
        """The list of what has these labels, without its content."""
        query = {"labelSelector": selector}
        return self._request("GET", resource.path(namespace), query=query, accept=METADATA_LIST).object

    def as_of(self, resource: Resource, namespace: str, name: str, version: str) -> Object | None:
        """The object as it was at a resourceVersion of any kind, deleted since or not; None if it was not there then.

        Raises Expired once etcd has been compacted since: five minutes at least, unless the cluster is set otherwise.
        https://kubernetes.io/docs/reference/using-api/api-concepts/#semantics-for-get-and-list
        """
        query = {"fieldSelector": f"metadata.name={name}", "resourceVersion": version, "resourceVersionMatch": "Exact"}
        items: list[Object] = self.list(resource, namespace, **query).get("items") or []
        return items[0] if items else None

    def now(self) -> datetime:
        """What time it is for the API server, to the second: the Date of an answer of its (RFC 9110, 6.6.1)."""
        headers = self._send("GET", "/version").getheaders()
        try:
            return parsedate_to_datetime(headers["Date"])
        except (KeyError, TypeError, ValueError):
            return datetime.now(UTC)

    @contextmanager
    def tunnel(self, namespace: str, pod: str, port: int) -> Iterator[socket.socket]:
        """A connection to a port of a pod through the API server; it asks for the right `get pods/portforward`.

        Raises Unreachable in the API server's words.
        """
        core = kubernetes.client.CoreV1Api(kubernetes.client.ApiClient(self._api.configuration))
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

    def create(self, resource: Resource, body: Object) -> Object:
        """Raises Conflict when an object of that name is there."""
        path = resource.path(body["metadata"].get("namespace"))
        return self._request("POST", path, body=body, query={"fieldManager": FIELD_MANAGER}).object

    def replace(self, resource: Resource, body: Object) -> Object:
        """Raises Conflict when `metadata.resourceVersion` is no longer that of the stored object."""
        metadata = body["metadata"]
        path = resource.path(metadata.get("namespace"), metadata["name"])
        return self._request("PUT", path, body=body, query={"fieldManager": FIELD_MANAGER}).object

    def apply(self, resource: Resource, body: Object) -> Object:
        """Server-side apply: made if it is not there, brought to what `body` says otherwise."""
        metadata = body["metadata"]
        return self._request(
            "PATCH",
            resource.path(metadata.get("namespace"), metadata["name"]),
            query={"fieldManager": FIELD_MANAGER, "force": "true"},
            body=body,
            content_type="application/apply-patch+yaml",
        ).object

    def patch(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        operations: Sequence[Mapping[str, Any]],
        *,
        dry_run: bool = False,
    ) -> Answer:
        """A JSON Patch. Raises Conflict when one of its `test` operations fails."""
        query = {"fieldManager": FIELD_MANAGER} | ({"dryRun": "All"} if dry_run else {})
        return self._request(
            "PATCH",
            resource.path(namespace, name),
            query=query,
            body=list(operations),
            content_type="application/json-patch+json",
        )

    def merge(
        self, resource: Resource, namespace: str | None, name: str, body: Object, *, dry_run: bool = False
    ) -> Answer:
        """A JSON merge patch (RFC 7396)."""
        query = {"fieldManager": FIELD_MANAGER} | ({"dryRun": "All"} if dry_run else {})
        path = resource.path(namespace, name)
        return self._request("PATCH", path, query=query, body=body, content_type="application/merge-patch+json")

    def mark(self, resource: Resource, namespace: str, name: str, metadata: Object) -> Object:
        """A strategic merge patch of the metadata, which is also all that comes back.

        Finalizers are merged by it: one is added without the others being known. A `resourceVersion` in `metadata` is a
        condition. Raises Conflict when it no longer holds.
        """
        return self._request(
            "PATCH",
            resource.path(namespace, name),
            query={"fieldManager": FIELD_MANAGER},
            body={"metadata": metadata},
            content_type="application/strategic-merge-patch+json",
            accept=METADATA,
        ).object

    def patch_together(self, patches: Sequence[Patch]) -> None:
        """See `analyzer.kube.together`."""
        patch_together(self._api.configuration, patches)

    def replace_status(self, resource: Resource, body: Object) -> Object:
        """The `status` of `body`; raises Conflict when its resourceVersion is no longer the stored one's."""
        metadata = body["metadata"]
        path = resource.path(metadata["namespace"], metadata["name"], "status")
        return self._request("PUT", path, body=body, query={"fieldManager": FIELD_MANAGER}).object

    def delete(self, resource: Resource, namespace: str | None, name: str, uid: str) -> None:
        """Deletes that very object (the `uid` is a precondition); one that is gone already is fine."""
        options = {"propagationPolicy": "Background", "preconditions": {"uid": uid}}
        try:
            self._request("DELETE", resource.path(namespace, name), body=options)
        except Exception as error:
            if getattr(error, "status", None) not in (404, 409):
                raise

    def watch(self, resource: Resource, query: Mapping[str, str], seconds: int, accept: str = JSON) -> Iterator[Object]:
        """The events of a watch that has begun, until the server ends it after `seconds`. Raises Expired, Unreachable.

        The server sends a bookmark every minute or two, so a connection that says nothing for longer is dead.
        """
        query = {**query, "watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": str(seconds)}
        response = self._send("GET", resource.path(), query=query, accept=accept, timeout=(3.0, SILENCE))
        return _events(response.response)

    def list_for_watch(self, resource: Resource, query: Mapping[str, str], accept: str = JSON) -> Object:
        """The list that a watch starts from, in the form that `accept` asks for."""
        response = self._send("GET", resource.path(), query=query, accept=accept, timeout=(3.0, 30.0))
        return _object(response)

    def _request(self, method: str, path: str, **options: Any) -> Answer:
        response = self._send(method, path, **options)
        headers = response.getheaders()
        return Answer(_object(response), tuple(headers.getlist("Warning")) if headers else ())

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = JSON,
        accept: str = JSON,
        timeout: Timeout = CONNECT_AND_READ,
    ) -> Any:
        headers = {"Accept": accept} | ({"Content-Type": content_type} if body is not None else {})
        arguments = self._api.param_serialize(
            method,
            path,
            query_params=list((query or {}).items()),
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            with self._around(method, path, query):
                response = self._api.call_api(*arguments[:4], _request_timeout=timeout)
                if response.status >= 400:
                    raise _error(response)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Unreachable(f"{method} {path}: {error}") from error
        except kubernetes.client.ApiException as error:
            raise Unreachable(f"{method} {path}: {error.reason}") from error
        return response


def namespace_of_context(kubeconfig: str) -> str | None:
    """The namespace of the current context; `kubeconfig` may be several files, joined as in $KUBECONFIG."""
    try:
        _, current = kubernetes.config.list_kube_config_contexts(kubeconfig)
    except (kubernetes.config.ConfigException, OSError):
        return None
    namespace: str | None = current["context"].get("namespace")
    return namespace


def _object(response: Any) -> Object:
    try:
        answer: Object = json.loads(response.read())
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise Unreachable(f"the answer broke off: {error}") from error
    return answer


def _error(response: Any) -> Exception:
    try:
        status: Object = json.loads(response.read())
    except ValueError:
        status = {}
    return from_status(response.status, status.get("reason") or response.reason or "", status.get("message") or "")


def _hear_out(connection: socket.socket) -> None:
    """At the other end is a thread of the library's, which breaks down over a peer that goes without hearing it out."""
    with connection, suppress(OSError):
        connection.settimeout(1.0)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(64 * 1024):
            pass


def _events(stream: Any) -> Iterator[Object]:
    rest = b""
    try:
        for chunk in stream.stream(amt=None, decode_content=True):
            *lines, rest = (rest + chunk).split(b"\n")
            yield from (json.loads(line) for line in lines if line)
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise Unreachable(f"the watch broke off: {error}") from error
    finally:
        stream.close()
        stream.release_conn()
