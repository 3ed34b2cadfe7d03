"""Whether Detour is being removed. Then nothing new begins, and what is in flight goes its ordinary way out.

`detour uninstall` says so by an annotation on Detour's own Namespace; one who deletes says so by deleting.
"""

import threading

from analyzer.cluster import Cluster
from analyzer.holdings import is_being_deleted
from analyzer.kube.errors import NotFound
from analyzer.kube.resources import DEFINITIONS, DEPLOYMENTS, WEBHOOK_CONFIGURATIONS

LEAVING = "detour.dev/leaving"  # annotation of Detour's own Namespace: by whom it is being removed
WHY = "Detour is being removed: what waits is kept for the next installation"
DEPLOYMENT = "detour"
CONFIGURATION = "zz-detour"
DEFINITION = "canaries.flagger.app"


class Removal:
    """What is known of it without asking, and what has to be asked for."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._deleted = threading.Event()

    @property
    def reason(self) -> str:
        """Why nothing may begin or go on any more; "" if it may."""
        home = self._cluster.namespaces.get("", self._cluster.home)
        told = home is not None and LEAVING in (home["metadata"].get("annotations") or {})
        return WHY if told or self.is_being_deleted else ""

    @property
    def is_being_deleted(self) -> bool:
        """Whether the objects that Detour consists of are going already."""
        home = self._cluster.namespaces.get("", self._cluster.home)
        return self._deleted.is_set() or (home is not None and is_being_deleted(home))

    def has_begun(self) -> bool:
        """Asked by a process that is told to stop: is it for good? Its Deployment goes before its pods do.

        Raises ApiError, Unreachable.
        """
        if not self.is_being_deleted and not self._is_going(DEPLOYMENT):
            return False
        self._deleted.set()
        return True

    def _is_going(self, name: str) -> bool:
        try:
            return is_being_deleted(self._cluster.client.get(DEPLOYMENTS, self._cluster.home, name))
        except NotFound:
            return True

    def is_unanswered(self) -> bool:
        """Whether no webhook is called any more, so that what it would do has to be done without it."""
        if not self.reason:
            return False
        try:
            self._cluster.client.get(WEBHOOK_CONFIGURATIONS, None, CONFIGURATION)
        except NotFound:
            return True
        return False

    def unhook(self) -> None:
        """A configuration whose Service is going would refuse every update there is: it goes, too."""
        client, home = self._cluster.client, self._cluster.namespaces.get("", self._cluster.home)
        if home is not None and not is_being_deleted(home):
            return
        try:
            found = client.get(WEBHOOK_CONFIGURATIONS, None, CONFIGURATION)
        except NotFound:
            return
        client.delete(WEBHOOK_CONFIGURATIONS, None, CONFIGURATION, found["metadata"]["uid"])

    def takes_all_canaries(self) -> bool:
        """Whether Canaries go because their definition does: then nobody has said anything about a single one."""
        if self.reason:
            return True
        try:
            return is_being_deleted(self._cluster.client.get(DEFINITIONS, None, DEFINITION))
        except NotFound:
            return True
