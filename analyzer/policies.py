"""Keeps the Canaries that policies give in line with the labels and the policies; what they should be is `policy`'s."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from analyzer import policy, promotion
from analyzer.actions import Emit
from analyzer.agenda import Key
from analyzer.cluster import Cluster
from analyzer.coexistence import missing
from analyzer.compare import holds
from analyzer.journal import Journal
from analyzer.kube.client import Client
from analyzer.kube.errors import Conflict, Fenced, Refused
from analyzer.kube.resources import CANARIES, CANARY_POLICIES
from analyzer.removal import Removal
from webhook import stash

Object = Mapping[str, Any]

PAUSES = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)  # seconds

log = logging.getLogger(__name__)


def ensure_default(client: Client, spec: Object | None = None, wait: Callable[[float], None] = time.sleep) -> None:
    """The policy `default` exists, with this spec, or ours; what somebody has made of it stays.

    It is what a new leader writes first, and the API server hears of it a moment after the Lease says so. Raises Fenced
    if it never does.
    """
    for pause in (*PAUSES, None):
        try:
            client.create_strictly(CANARY_POLICIES, policy.default(spec))
        except Conflict:
            return
        except Refused as refused:  # the policies that are there go on
            log.error("the API server refuses the CanaryPolicy default, see --default-policy: %s", refused)
            return
        except Fenced:
            if pause is None:
                raise
            wait(pause)
        else:
            return


class Policies:
    """Works on one application at a time, from what the watches hold."""

    def __init__(self, cluster: Cluster, journal: Journal, removal: Removal) -> None:
        self._cluster = cluster
        self._journal = journal
        self._removal = removal
        self._told: dict[Key, str] = {}

    def settle(self, key: Key) -> None:
        """Make, change or take away the Canary that a policy gives. The user's own always wins."""
        if self._removal.reason:
            return  # they go their way out as they are
        deployment = self._cluster.targets.get(*key)
        canaries = self._cluster.canaries_on(key)
        given = [canary for canary in canaries if policy.is_by_policy(canary)]
        name = self._cluster.policy_for(key)
        if deployment is None or name is None or len(given) < len(canaries):
            for canary in given:
                self._delete(canary)
            self._say_whose(key, deployment)
            return
        found, flagger = self._cluster.policies.get("", name), self._cluster.flagger.sees(key[0])
        if found is None:
            for canary in given:  # what it goes by is gone: it ends, and what waits waits for another policy
                self._delete(canary)
            self._say(key, deployment, f"CanaryPolicy {name} does not exist: create it, or correct the label")
        elif given:
            self._bring_up_to_date(given[0], policy.canary_by(found, deployment, beside_flagger=flagger))
        elif self._cluster.diverted.get(*key) or stash.let_past(deployment):
            self._create(key, policy.canary_by(found, deployment, beside_flagger=flagger), deployment)

    def let_go(self, key: Key) -> None:
        """Neither a Canary nor a policy is there for it any more: take our keys away, and with them what waited."""
        target = self._cluster.targets.get(*key)
        if target is None or self._cluster.policy_for(key) is not None or not self._is_ours(key, target):
            return
        if self._removal.takes_all_canaries():
            return
        waited = stash.TEMPLATE in (target["metadata"].get("annotations") or {})
        if promotion.release(self._cluster.client, target) and waited:
            text = f"Detour has let go of {key[1]}.{key[0]}: the update that waited is dropped"
            self._journal.tell(Emit(text, warning=True, milestone=True), None, target)

    def _is_ours(self, key: Key, target: Object) -> bool:
        """By the reserved label, or by keys that prove themselves: what anybody else has written is left alone.

        So is what an installation before this one has kept: its Canary may come at any time.
        """
        if stash.state(dict(target)) == stash.STATE_PENDING:
            return False
        if (target["metadata"].get("labels") or {}).get(stash.POLICY) == stash.POLICY_CANARY:
            return True
        primary = self._cluster.diverted.get(*key) or {}
        try:
            return bool(stash.diverted(primary) or stash.previous(primary))
        except stash.StashError:
            return False

    def _create(self, key: Key, body: dict[str, Any], deployment: Object) -> None:
        if self._removal.takes_all_canaries():
            self._say(key, deployment, "the definition of Canaries is gone: it waits until that is back")
            return
        try:
            self._cluster.canaries.learn(self._cluster.client.create(CANARIES, body))
        except Conflict:
            self._say(key, deployment, f"Canary {key[1]} has another target: rename it, or write one for {key[1]}")

    def _bring_up_to_date(self, canary: Object, wanted: Object) -> None:
        marks = {kind: wanted["metadata"][kind] for kind in ("labels", "annotations")}
        if not holds(canary["metadata"], marks):
            metadata = canary["metadata"] | {kind: canary["metadata"][kind] | marks[kind] for kind in marks}
            body = {**canary, "metadata": metadata, "spec": wanted["spec"]}
            self._cluster.canaries.learn(self._cluster.client.replace(CANARIES, body))

    def _delete(self, canary: Object) -> None:
        metadata = canary["metadata"]
        if "deletionTimestamp" not in metadata:
            self._cluster.client.delete(CANARIES, metadata["namespace"], metadata["name"], metadata["uid"])

    def _say_whose(self, key: Key, deployment: Object | None) -> None:
        """Where Flagger runs, too: its Canaries are none of ours; one that is meant to be may lack something."""
        theirs = self._cluster.left_to_flagger(key)
        if deployment is None or theirs is None:
            return
        name = theirs["metadata"]["name"]
        if remedy := missing(theirs):
            problem = (
                f"it is marked for Detour, but Flagger, which runs here, acts on it: {remedy}, and Detour takes it"
            )
            self._tell_once(key, f"Halt {name}.{key[0]}: {problem}", theirs, deployment)
        elif self._cluster.is_managed(key):
            self._say(key, deployment, f"Canary {name} is left to Flagger: label the Deployment {stash.POLICY}=none")

    def _say(self, key: Key, deployment: Object, problem: str) -> None:
        """Once, as long as it stays the same; there is no Canary that could bear it."""
        if self._cluster.diverted.get(*key):
            self._tell_once(key, f"Halt {key[1]}.{key[0]}: {problem}", None, deployment)

    def _tell_once(self, key: Key, text: str, canary: Object | None, deployment: Object) -> None:
        if self._told.get(key) != text:
            self._told[key] = text
            self._journal.tell(Emit(text, warning=True, milestone=True), canary, deployment)
