"""Keeps the analyzer's own rights until nothing of a canary is left, even where all of Detour is deleted at once.

`kubectl delete -k` takes everything within a second. While something is diverted or held, a finalizer keeps the three
objects that the analyzer acts by, and they go on being in force: RBAC does not mind that an object is being deleted,
and a ServiceAccount's tokens are good for a minute more (k8s.io/kubernetes, pkg/serviceaccount/claims.go). At rest
there is no finalizer, so that what is idle can be deleted whether the analyzer lives or not.
"""

import logging
import threading

from analyzer.cluster import Cluster
from analyzer.kube.errors import ApiError, NotFound, Refused, Unreachable
from analyzer.kube.resources import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, SERVICE_ACCOUNTS, Resource
from analyzer.removal import Removal

FINALIZER = "detour.dev/in-flight"
NAME = "detour-analyzer"
ANCHORS: tuple[Resource, ...] = (SERVICE_ACCOUNTS, CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES)
"""The last one has the finalizer only if all have it: so it is enough to look at that one."""

log = logging.getLogger(__name__)


class Anchor:
    """The finalizer of three objects: there exactly while it is needed. Safe between threads."""

    def __init__(self, cluster: Cluster, removal: Removal) -> None:
        self._cluster = cluster
        self._removal = removal
        self._lock = threading.Lock()
        self._there: bool | None = None  # what a process before us has left is not known

    def settle(self) -> None:
        """To be called before anything is done for an application, and after: never raises, a rollout does not wait."""
        needed = bool(self._cluster.diverted.all()) or bool(self._cluster.holdings.holders)
        with self._lock:
            if needed == self._there or (not needed and self._removal.is_being_deleted):
                return  # once the three are being deleted, taking the finalizer off is the last thing that we do
            try:
                if self._there is None:
                    self._there = self._is_there()
                if needed != self._there:
                    self._put() if needed else self.cut()
            except (NotFound, Refused) as error:
                log.warning("should Detour be deleted in mid-canary, it cannot clean up: %s", error.message)
            except (ApiError, Unreachable) as error:
                log.warning("the finalizer %s cannot be %s: %s", FINALIZER, "set" if needed else "removed", error)
                return
            self._there = needed

    def _is_there(self) -> bool:
        found = self._cluster.client.get(ANCHORS[-1], None, NAME)
        return FINALIZER in (found["metadata"].get("finalizers") or ())

    def _put(self) -> None:
        for resource in ANCHORS:
            self._cluster.client.mark(resource, self._cluster.home, NAME, {"finalizers": [FINALIZER]})

    def cut(self) -> None:
        """Off all three at once: where they are being deleted, each is the right to touch the others."""
        off = {"metadata": {"$deleteFromPrimitiveList/finalizers": [FINALIZER]}}
        paths = [resource.path(self._cluster.home, NAME) for resource in ANCHORS]
        self._cluster.client.patch_together([(path, off) for path in paths])
