"""Reports what was let past Detour: by the field manager detour-bypass, by opting out, or since nothing was to protect.

The API server decides whether somebody may, and who it was is written on the Deployment: by the API server, as
manifests/policies/bypass.yaml has it, or by the webhook, for the others. Here it becomes an event and an entry of the
history, and then goes from the Deployment; so it is told even if nobody was there when it happened. What not even the
webhook saw is found by what runs (`analyzer.unseen`).
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from analyzer import promotion, telemetry
from analyzer.actions import Emit
from analyzer.agenda import Key
from analyzer.cluster import Cluster
from analyzer.journal import Journal
from analyzer.kube.errors import NotFound
from analyzer.kube.resources import DEPLOYMENTS
from analyzer.remember import remember
from analyzer.status import appended, timestamp
from analyzer.stored import from_object, to_object
from analyzer.unseen import Running, complaint, is_known
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
        if target is None:
            return
        canary, said = self._cluster.canary_for(key), stash.let_past(dict(target))
        if not said and (canary is None or is_known(from_object(canary), target)):
            return
        try:
            deployment = self._cluster.client.get(DEPLOYMENTS, *key)
        except NotFound:
            return
        if canary is not None:
            said = self._remember(key, canary, deployment, said)
        if said:
            telemetry.let_past(said)
            told = Emit(f"{key[1]}.{key[0]} was {said}", warning=True, milestone=True)
            self._journal.tell(told, canary, target)
        if stash.let_past(dict(target)):
            self._cluster.targets.learn(promotion.forget(self._cluster.client, target, said))

    def _remember(self, key: Key, canary: Object, deployment: Object, said: str) -> str:
        """Store what runs, and what was let past, if anything. Returns what there is to say."""
        status, now = from_object(canary), datetime.now(UTC)
        unseen = "" if said else complaint(status, deployment, managed=self._cluster.is_managed(key))
        if said or unseen:
            status = replace(status, history=appended(status.history, entry(said or unseen, deployment, now)))
        # Whether the webhook is called by now is found out at once, by a dry run (analyzer.promotion.guard).
        status = replace(status, primary=Running.of(deployment).encode(), guarded=status.guarded and not unseen)
        body = {**canary, "status": to_object(status, canary.get("status") or {}, now)}
        remember(self._cluster, body)
        return said or unseen


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
