"""Reports what was let past Detour: by the field manager detour-bypass, or by opting out.

The API server decides whether somebody may, and who it was is written on the Deployment: by the API server, as
manifests/policies/bypass.yaml has it, or by the webhook, for opting out. Here it becomes an event and an entry of the
history, and then goes from the Deployment; so it is told even if nobody was there when it happened.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from analyzer import promotion
from analyzer.actions import Emit
from analyzer.agenda import Key
from analyzer.cluster import Cluster
from analyzer.journal import Journal
from analyzer.kube.errors import NotFound
from analyzer.kube.resources import CANARIES, DEPLOYMENTS
from analyzer.status import appended, timestamp
from analyzer.workload import images
from webhook import stash
from webhook.revision import digest

Object = Mapping[str, Any]

OUTCOME = "LetPast"


class Witness:
    """Works on one application at a time."""

    def __init__(self, cluster: Cluster, journal: Journal) -> None:
        self._cluster = cluster
        self._journal = journal

    def settle(self, key: Key) -> None:
        """Report, and then forget. Raises the errors of `analyzer.kube.errors`."""
        target = self._cluster.targets.get(*key)
        if target is None or not (said := stash.let_past(dict(target))):
            return
        try:
            deployment = self._cluster.client.get(DEPLOYMENTS, *key)
        except NotFound:
            return
        canary = self._cluster.canary_for(key)
        if canary is not None:
            self._remember(canary, entry(said, deployment, datetime.now(UTC)))
        name = f"{key[1]}.{key[0]}"
        self._journal.tell(Emit(f"{name} was {said}", warning=True, milestone=True), canary, target)
        self._cluster.targets.learn(promotion.forget(self._cluster.client, target, said))

    def _remember(self, canary: Object, ended: Object) -> None:
        status = canary.get("status") or {}
        history = appended(status.get("history") or (), ended)
        body = {**canary, "status": {**status, "history": list(history)}}
        self._cluster.canaries.learn(self._cluster.client.replace_status(CANARIES, body))


def entry(said: str, deployment: Object, now: datetime) -> dict[str, Any]:
    """What was let past as an entry of `status.history`, beside those of revisions that ended."""
    template = deployment["spec"]["template"]
    return {
        "revision": digest(template),
        "images": list(images(template)),
        "by": said.partition(" by ")[2].partition(": ")[0],
        "manager": "",
        "outcome": OUTCOME,
        "message": said,
        "startTime": timestamp(now),
        "endTime": timestamp(now),
    }
