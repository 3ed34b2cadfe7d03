"""What is held of the cluster's ConfigMaps, ServiceAccounts and Secrets: by the marks on these, and nowhere else.

A mark is a finalizer that names the Deployment, so that two of them may hold one object, and a label that finds it.
The label is followed for ConfigMaps and ServiceAccounts. Secrets may be listed only in namespaces whose owners allow
it (ClusterRole detour-secret-holder): they are looked for once, and known from our own patches from then on.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from analyzer.agenda import Key
from analyzer.kube.access import may
from analyzer.kube.client import Client
from analyzer.kube.errors import NotFound
from analyzer.kube.resources import CONFIG_MAPS, SECRETS, SERVICE_ACCOUNTS, Resource
from analyzer.kube.watch import Admits, Watch
from analyzer.references import Reference
from webhook import stash

Object = dict[str, Any]

LABEL = "detour.dev/in-use"
RESTORED = "detour.dev/restored"  # annotation: it was gone before it could be held, and has been put back
_SUFFIX = ".detour.dev/in-use"
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

_RESOURCES = {resource.kind: resource for resource in (CONFIG_MAPS, SECRETS, SERVICE_ACCOUNTS)}


class Holdings:
    """Metadata only: no content crosses the network to us, but for what has to be put back."""

    def __init__(self, client: Client, touch: Callable[[Key], None], admits: Admits = lambda _namespace: True) -> None:
        self._client = client
        self._touch = touch
        self._followed = {
            resource.kind: Watch(client, resource, self._changed, selector=LABEL, metadata_only=True, admits=admits)
            for resource in (CONFIG_MAPS, SERVICE_ACCOUNTS)
        }
        self._secrets: dict[Key, Object] = {}
        self._diverted: dict[Key, tuple[str, str]] = {}
        self._lock = threading.Lock()

    @property
    def watches(self) -> tuple[Watch, ...]:
        """What has to be started."""
        return tuple(self._followed.values())

    def of(self, key: Key) -> dict[Reference, Object]:
        """What is held for one Deployment, with the metadata as last heard of."""
        finalizer = _finalizer(key[1])
        return {
            Reference(kind, found["metadata"]["name"]): found
            for kind, found in self._in_namespace(key[0])
            if finalizer in (found["metadata"].get("finalizers") or ())
        }

    @property
    def holders(self) -> set[Key]:
        """Every Deployment that something is held for."""
        with self._lock:
            secrets = list(self._secrets.values())
        found = secrets + [found for watch in self._followed.values() for found in watch.all()]
        return {(each["metadata"]["namespace"], name) for each in found for name in holders(each)}

    def touch_all(self, namespace: str) -> None:
        """Look at every Deployment that something is held for in a namespace."""
        for _, found in self._in_namespace(namespace):
            self._changed(found)

    def hold(self, key: Key, reference: Reference) -> None:
        """Put the mark on, or see that it is there. Raises NotFound, Refused.

        The API server merges the list, so nothing has to be read before and no other mark is touched.
        """
        self._mark(key[0], reference, {"labels": {LABEL: "true"}, "finalizers": [_finalizer(key[1])]})

    def release(self, key: Key, reference: Reference, found: Object) -> None:
        """Take the mark off, if the object is still as `found`; one that was deleted goes by that. Raises Conflict."""
        metadata, ours = found["metadata"], _finalizer(key[1])
        body: Object = {"resourceVersion": metadata["resourceVersion"], "$deleteFromPrimitiveList/finalizers": [ours]}
        if holders(found) == [key[1]]:
            body["labels"] = {LABEL: None}
        self._mark(key[0], reference, body)

    def note(self, key: Key, diverted: Object | None) -> None:
        """Remember the resourceVersion that came with a diversion: nothing was pruned by then. None: it is over."""
        with self._lock:
            if diverted is None:
                self._diverted.pop(key, None)  # the next one is another, even of the same revision
                return
            metadata = diverted["metadata"]
            revision = (metadata.get("labels") or {}).get(stash.REVISION, "")
            if self._diverted.get(key, ("", ""))[0] != revision:
                self._diverted[key] = revision, metadata["resourceVersion"]

    def restore(self, key: Key, reference: Reference) -> None:
        """Put back what was deleted between the diversion and our mark, as it was then.

        It bears our mark and is deleted at once, so that from here on it is like any other that was held in time.
        Raises NotFound, Expired, Refused. A ServiceAccount would be another one, whatever its name.
        """
        resource = _RESOURCES[reference.kind]
        _, version = self._diverted.get(key, ("", ""))
        known = version and resource != SERVICE_ACCOUNTS
        found = self._client.as_of(resource, key[0], reference.name, version) if known else None
        if found is None:
            raise NotFound(404, "NotFound", f"{reference} not found")
        made = self._client.create(resource, _copy(resource, found, _finalizer(key[1])))
        made = {"metadata": made["metadata"]}
        self._learn(reference.kind, made)
        self.retire(key, reference, made)

    def retire(self, key: Key, reference: Reference, found: Object) -> None:
        """Delete what we have put back; it is there until nobody holds it any more."""
        self._client.delete(_RESOURCES[reference.kind], key[0], reference.name, found["metadata"]["uid"])

    def forget(self, key: Key, reference: Reference) -> None:
        """It is gone. What is followed tells so itself."""
        with self._lock:
            self._secrets.pop((key[0], reference.name), None)

    def find_secrets(self, namespace: str) -> None:
        """Learn what a process before us has held, if we may look there. One request where we may not, else two."""
        if may(self._client, "list", SECRETS, namespace):
            found = self._client.list_metadata(SECRETS, namespace, LABEL)
            for secret in found.get("items") or ():
                self._learn(SECRETS.kind, secret)
                self._changed(secret)

    def _mark(self, namespace: str, reference: Reference, metadata: Object) -> None:
        self._learn(reference.kind, self._client.mark(_RESOURCES[reference.kind], namespace, reference.name, metadata))

    def _learn(self, kind: str, found: Object) -> None:
        if watch := self._followed.get(kind):
            watch.learn(found)
            return
        metadata = found["metadata"]
        with self._lock:
            if holders(found):
                self._secrets[metadata["namespace"], metadata["name"]] = found
            else:
                self._secrets.pop((metadata["namespace"], metadata["name"]), None)

    def _in_namespace(self, namespace: str) -> list[tuple[str, Object]]:
        with self._lock:
            secrets = [found for (where, _), found in self._secrets.items() if where == namespace]
        followed = [(kind, found) for kind, watch in self._followed.items() for found in watch.in_namespace(namespace)]
        return followed + [(SECRETS.kind, found) for found in secrets]

    def _changed(self, found: Object) -> None:
        for name in holders(found):
            self._touch((found["metadata"]["namespace"], name))


def holders(found: Object) -> list[str]:
    """The names of the Deployments that hold an object."""
    finalizers = found["metadata"].get("finalizers") or ()
    return [mark.removesuffix(_SUFFIX) for mark in finalizers if mark.endswith(_SUFFIX)]


def is_being_deleted(found: Mapping[str, Any]) -> bool:
    """Whether an object is there only because something holds it."""
    return "deletionTimestamp" in found["metadata"]


def is_to_be_retired(found: Mapping[str, Any]) -> bool:
    """Whether we have put an object back and were interrupted before we deleted it."""
    return RESTORED in (found["metadata"].get("annotations") or {}) and not is_being_deleted(found)


def _copy(resource: Resource, found: Object, finalizer: str) -> Object:
    """The object again, without what the API server or its tool has written about the one that was deleted."""
    metadata = found["metadata"]
    annotations = {key: text for key, text in (metadata.get("annotations") or {}).items() if key != _LAST_APPLIED}
    again = {
        "name": metadata["name"],
        "namespace": metadata["namespace"],
        "labels": (metadata.get("labels") or {}) | {LABEL: "true"},
        "annotations": annotations | {RESTORED: "true"},
        "finalizers": [finalizer],
    }
    return {**found, "apiVersion": resource.api_version, "kind": resource.kind, "metadata": again}


def _finalizer(deployment: str) -> str:
    """A finalizer must be a qualified name; its prefix takes names as long as a canary's (RFC 1123 subdomain)."""
    return deployment + _SUFFIX
