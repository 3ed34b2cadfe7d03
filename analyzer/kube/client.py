"""Requests to the API server: raw JSON in and out, a deadline on each, and our own errors.

The client library's typed models drop the fields that they do not know, so they never touch an object here.
"""

import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import kubernetes.client
import urllib3.exceptions

from analyzer.kube.answers import Answer, read_error, read_events, read_object
from analyzer.kube.errors import Unreachable
from analyzer.kube.kubeconfig import configured
from analyzer.kube.mishap import Mishap
from analyzer.kube.outage import Outage
from analyzer.kube.resources import Resource
from analyzer.kube.together import Patch, patch_together
from analyzer.kube.tunnel import tunnel

Object = dict[str, Any]
Timeout = tuple[float, float]
Told = Callable[[str, str, Mapping[str, str] | None, int, float], None]
"""Told of each request: method, path, query, the answer's status (0 without one), and the seconds until it began."""

CONNECT_AND_READ: Timeout = (3.0, 10.0)
FIELD_MANAGER = "detour"
SILENCE = 180.0  # seconds
JSON = "application/json"
METADATA = f"{JSON};as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
METADATA_LIST = f"{JSON};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


class Client:
    """One connection pool to one API server. Safe to be shared between threads. A `mishap` is a test's."""

    def __init__(self, api: Any, mishap: Mishap | None = None, told: Told = lambda *_: None) -> None:
        self._api = api
        self._told = told
        self._outage = Outage()
        self._around = mishap.around if mishap else lambda *_: nullcontext()

    @classmethod
    def connect(
        cls, kubeconfig: str | None = None, mishap: Mishap | None = None, told: Told = lambda *_: None
    ) -> "Client":
        """From a kubeconfig file, or as the ServiceAccount of the pod that we run in. Raises NoCluster."""
        api = kubernetes.client.ApiClient(configured(kubeconfig))
        api.user_agent = "detour"
        return cls(api, mishap, told)

    @property
    def others_deaf(self) -> float:
        """See `analyzer.kube.outage`; seconds."""
        return self._outage.others_deaf

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

    def tunnel(self, namespace: str, pod: str, port: int) -> AbstractContextManager[socket.socket]:
        """See `analyzer.kube.tunnel`."""
        return tunnel(self._api.configuration, namespace, pod, port)

    def read(self, path: str, **query: str) -> Object:
        """What stands at a path that is no object's: the version, what kinds there are, a Service behind its proxy."""
        return self._request("GET", path, query=query).object

    def create(self, resource: Resource, body: Object) -> Object:
        """Raises Conflict when an object of that name is there."""
        path = resource.path(body["metadata"].get("namespace"))
        return self._request("POST", path, body=body, query={"fieldManager": FIELD_MANAGER}).object

    def rehearse(self, resource: Resource, body: Object) -> Object:
        """What would be created: the object as admission leaves it. Nothing is stored."""
        path = resource.path(body["metadata"].get("namespace"))
        return self._request("POST", path, body=body, query={"dryRun": "All"}).object

    def create_strictly(self, resource: Resource, body: Object) -> Object:
        """As `create`, for what a person has written: raises Refused for a field that the API server does not know."""
        path = resource.path(body["metadata"].get("namespace"))
        query = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict"}
        return self._request("POST", path, body=body, query=query).object

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
        path, kind = resource.path(namespace, name), "application/json-patch+json"
        return self._request("PATCH", path, query=query, body=list(operations), content_type=kind)

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
        return read_events(response.response)

    def list_for_watch(self, resource: Resource, query: Mapping[str, str], accept: str = JSON) -> Object:
        """The list that a watch starts from, in the form that `accept` asks for."""
        response = self._send("GET", resource.path(), query=query, accept=accept, timeout=(3.0, 30.0))
        return read_object(response)

    def _request(self, method: str, path: str, **options: Any) -> Answer:
        response = self._send(method, path, **options)
        headers = response.getheaders()
        return Answer(read_object(response), tuple(headers.getlist("Warning")) if headers else ())

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
        began, status = time.monotonic(), 0
        try:
            with self._around(method, path, query):
                response = self._api.call_api(*arguments[:4], _request_timeout=timeout)
                status = response.status
                if status >= 400:
                    raise read_error(response)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Unreachable(f"{method} {path}: {error}") from error
        except kubernetes.client.ApiException as error:
            raise Unreachable(f"{method} {path}: {error.reason}") from error
        finally:
            self._outage.told(began, answered=bool(status))
            self._told(method, path, query, status, time.monotonic() - began)
        return response
