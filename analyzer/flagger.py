"""The Flagger controllers that run in this cluster, told by the watch of Deployments: nothing is polled."""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from analyzer.agenda import Key
from analyzer.coexistence import EVERYWHERE, NAME, is_flagger, is_marked, left_by_flagger, scope
from analyzer.kube.client import Client
from analyzer.kube.errors import NotFound
from analyzer.kube.resources import CANARIES, DEPLOYMENTS, Resource

Object = Mapping[str, Any]

REVIEWS = Resource("authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", namespaced=False)
FLAGGER: Key = (EVERYWHERE, NAME)
"""On the agenda: no application, but what may concern all of them."""

log = logging.getLogger(__name__)


def may_act(client: Client, deployment: Object, where: str) -> bool:
    """Whether a Deployment's account may do in a namespace, or EVERYWHERE, what Flagger does. Raises ApiError.

    A label proves nothing: anybody may put it on what is his, and must not take other people's Canaries away by it.
    """
    pod = deployment["spec"]["template"]["spec"]
    home, account = deployment["metadata"]["namespace"], pod.get("serviceAccountName") or "default"
    spec = {
        "user": f"system:serviceaccount:{home}:{account}",
        "groups": ["system:serviceaccounts", f"system:serviceaccounts:{home}", "system:authenticated"],
        "resourceAttributes": {
            "verb": "update",
            "group": CANARIES.group,
            "resource": CANARIES.plural,
            "subresource": "status",
            "namespace": where,
        },
    }
    review = {"apiVersion": REVIEWS.api_version, "kind": REVIEWS.kind, "metadata": {}, "spec": spec}
    return bool(client.create(REVIEWS, review)["status"].get("allowed"))


class Flagger:
    """Asks for a Deployment of Flagger's once it has changed, since the watch does not see its replicas and arguments.

    `changed` is called when other Canaries are Flagger's than before.
    """

    def __init__(self, client: Client, changed: Callable[[], None]) -> None:
        self._client = client
        self._changed = changed
        self._scopes: dict[Key, str] = {}
        self._versions: dict[Key, str] = {}
        self._lock = threading.Lock()

    def settle(self, key: Key, deployments: Callable[[], Iterable[Object]]) -> None:
        """The duty of whoever attends to `FLAGGER`."""
        if key == FLAGGER:
            self.look(deployments())

    def look(self, deployments: Iterable[Object]) -> None:
        """Ask for those that have changed, of all that the watch knows. Raises the errors of `analyzer.kube.errors`."""
        metadata = [found["metadata"] for found in deployments if is_flagger(found)]
        versions = {(each["namespace"], each["name"]): each["resourceVersion"] for each in metadata}
        for key in self._versions.keys() - versions.keys():
            self._note(key, None)
            del self._versions[key]
        for key, version in versions.items():
            if self._versions.get(key) != version:
                self._note(key, self._scope(key))
                self._versions[key] = version

    def sees(self, namespace: str) -> bool:
        """Whether one of them acts on the Canaries of a namespace."""
        with self._lock:
            return any(each in (EVERYWHERE, namespace) for each in self._scopes.values())

    def leaves(self, canary: Object) -> bool:
        """Whether a Canary is Detour's to act on."""
        return not self.sees(canary["metadata"]["namespace"]) or (is_marked(canary) and left_by_flagger(canary))

    def _scope(self, key: Key) -> str | None:
        try:
            found = self._client.get(DEPLOYMENTS, *key)
        except NotFound:
            return None
        where = scope(found)
        if where is not None and not may_act(self._client, found, where):
            log.warning("%s/%s has Flagger's label, and may not act on Canaries: it counts for nothing", *key)
            return None
        return where

    def _note(self, key: Key, seen: str | None) -> None:
        with self._lock:
            before = self._scopes.pop(key, None)
            if seen is not None:
                self._scopes[key] = seen
        if before != seen:
            where = "the whole cluster" if seen == EVERYWHERE else f"namespace {seen}"
            said = "no longer runs" if seen is None else f"runs, and looks at {where}"
            log.warning("Flagger %s/%s %s: of what it sees, Detour takes what is marked for it", *key, said)
            self._changed()
